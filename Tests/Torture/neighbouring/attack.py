"""What an attack is, what it is given, and the process that it runs in.

An attack is a coroutine in a module of `attacks/`, marked with `@attack`. It gets an Attacker and does harm until it is
cancelled; connections that the daemon closes are no error of it. Run as a program, this file reads an order as JSON from
standard input, prints `ready`, attacks until standard input closes, and prints what the attack counted.
"""

import asyncio
import collections
import importlib
import json
import logging
import os
import pathlib
import socket
import ssl
import struct
import sys

STRANGER, UNCAPPED, CAPPED = "stranger", "uncapped", "capped"
EVERYONE = (STRANGER, UNCAPPED, CAPPED)
AGENTS = (UNCAPPED, CAPPED)


class Attack:
    """`pot` is what it empties; `roles` are those who can try.

    `memory` is how many MiB the daemon's resident memory may grow while it runs. `gateways` are lines for `gateways:` in
    config.yaml, `gateway` more members of the honest agent's gateway, and `settings` other lines; `PEER` in each is the port at
    which `peer(reader, writer)` serves what the attack needs at the far end. `policy` is the text of policy.yaml. Where
    `silent_names` is true, and root runs this, the daemon's name server takes questions and never answers. With `stalls_log`
    nobody reads what the daemon writes to standard error.
    """

    def __init__(self, act, pot, roles, memory, gateways, settings, peer, policy, silent_names, stalls_log, gateway):
        self.act, self.pot, self.roles, self.memory = act, pot, roles, memory
        self.gateways, self.settings, self.peer, self.gateway = gateways, settings, peer, gateway
        self.policy, self.silent_names, self.stalls_log = policy, silent_names, stalls_log
        self.name = act.__name__.replace("_", "-")


FOUND = {}


def attack(
    pot, roles=EVERYONE, memory=64, gateways="", settings="", peer=None, policy="", silent_names=False, stalls_log=False,
    gateway="",
):
    def mark(act):
        one = Attack(
            act, pot, roles, memory, gateways, settings, peer, policy, silent_names, stalls_log, gateway)
        FOUND[one.name] = one
        return act

    return mark


def found():
    """All attacks by name, in the order of their files and lines."""
    # Run as a program this is `__main__`, and the modules below know it as `attack`.
    for path in sorted((pathlib.Path(__file__).parent / "attacks").glob("*.py")):
        importlib.import_module(f"attacks.{path.stem}")
    return importlib.import_module("attack").FOUND


class Attacker:
    """The daemon's addresses, a token (none for a stranger), and the usual means of those who use them badly.

    `port` is plain HTTP, `tls` a TLS listener that asks for the client certificate in the file `certificate` (none for a
    stranger), `metrics` the metrics listener, `peer` the attack's own server.
    """

    def __init__(self, order):
        self.role, self.token, self.certificate = order["role"], order["token"], order["certificate"]
        self.port, self.tls, self.metrics, self.peer = order["port"], order["tls"], order["metrics"], order["peer"]
        self.authority = order["authority"]
        self.counts = collections.Counter()

    def count(self, what, number=1):
        self.counts[what] += number

    def head(self, method="GET", path="/sim/free", port=None, **fields):
        """A request's head; field names are written with `_` for `-`."""
        lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{port or self.port}"]
        if self.token:
            lines.append(f"authorization: Bearer {self.token}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def connect(self, port=None, receive=None):
        """A connection to a plain port; `receive` is the size of its receive buffer in bytes."""
        wire = socket.socket()
        wire.setblocking(False)
        if receive:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        try:
            await asyncio.get_running_loop().sock_connect(wire, ("127.0.0.1", port or self.port))
        except BaseException:
            wire.close()
            raise
        return wire

    async def connect_tls(self):
        """Reader and writer of a connection to the TLS listener, which shows the role's certificate."""
        context = ssl.create_default_context(cafile=self.authority)
        context.check_hostname = False
        if self.certificate:
            context.load_cert_chain(self.certificate)
        return await asyncio.open_connection("127.0.0.1", self.tls, ssl=context)

    async def send(self, wire, data):
        await asyncio.get_running_loop().sock_sendall(wire, data)
        self.count("bytes sent", len(data))

    async def again_and_again(self, number, once):
        """Keeps `number` coroutines `once(index)` going, each begun anew when it ends or its connection does."""

        async def keep(index):
            while True:
                try:
                    await once(index)
                    self.count("rounds")
                except (OSError, EOFError, asyncio.IncompleteReadError, ssl.SSLError) as error:
                    self.count(type(error).__name__)
                # Not faster than connections can be closed.
                await asyncio.sleep(0.002)

        await asyncio.gather(*(keep(index) for index in range(number)))


def reset(wire):
    """Closes a connection without an orderly end."""
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.close()


async def run(order):
    one, attacker = found()[order["attack"]], Attacker(order)
    server = None
    if one.peer:
        server = await asyncio.start_server(one.peer, "127.0.0.1", attacker.peer, limit=1 << 18, backlog=512)
    print("ready", flush=True)
    acting = asyncio.create_task(one.act(attacker))
    # The order's line has been read; the next event there is the end.
    ending = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await asyncio.wait([acting, ending], return_when=asyncio.FIRST_COMPLETED)
    failure = None
    if acting.done() and (error := acting.exception()):
        failure = f"{type(error).__name__} {error}"
    acting.cancel()
    await asyncio.gather(acting, return_exceptions=True)
    if server:
        server.close()
    print(json.dumps({"counts": attacker.counts, "failure": failure}), flush=True)
    if not ending.done():
        await ending


def main():
    order = json.loads(sys.stdin.readline())
    # Real attackers run on other machines. At the lowest priority this one takes no processor time from the daemon.
    os.nice(19)
    # Its servers are cancelled in the middle of what they do.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    asyncio.run(run(order))


if __name__ == "__main__":
    main()
