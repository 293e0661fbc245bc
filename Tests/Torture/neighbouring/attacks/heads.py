"""Request heads that take long to read."""

from attack import attack
from attacks.turns import pipelined


@attack("event loop turns")
async def heads_full_of_tokens(attacker):
    """Heads of 60 KB full of what has the form of a token and a wrong checksum."""
    token = "psr_" + "0" * 43 + "_" + "0" * 6 + " "
    request = attacker.head(path="/nowhere/x", x_text=token * 1000)
    await pipelined(attacker, 16, request, count=8)


@attack("event loop turns")
async def paths_to_decode(attacker):
    """Paths of 60 KB whose percent-encoding comes off in layers and leaves look-alike characters."""
    request = attacker.head(path="/sim/" + "%252525e2%252580%2525a4a/" * 2400)
    await pipelined(attacker, 16, request, count=8)
