"""Memory that a connection takes while it is open."""

import asyncio

from attack import AGENTS, attack

COUNT = 400
# What each may take, and as much again for the process.
BOUND = COUNT * 64 // 1024 + 24


async def hold(attacker, data):
    """Brings connections into a state, and keeps them there."""

    async def once(_):
        wire = await attacker.connect(receive=4096)
        try:
            sending = asyncio.create_task(attacker.send(wire, data))
            await asyncio.sleep(600)
        finally:
            sending.cancel()
            wire.close()

    await attacker.again_and_again(COUNT, once)


async def hang(reader, writer):
    """A gateway that never answers."""
    try:
        while await reader.read(1 << 16):
            pass
    except OSError:
        pass
    finally:
        writer.close()


HANGING = {"gateways": '  peer: { url: "http://127.0.0.1:PEER" }', "peer": hang}


@attack("memory per connection", memory=BOUND)
async def half_heads(attacker):
    """Heads that are not sent to their end."""
    await hold(attacker, attacker.head(x_big="x" * 30_000)[:-2])


@attack("memory per connection", roles=AGENTS, memory=BOUND, **HANGING)
async def waiting_heads(attacker):
    """Large heads of requests that no gateway answers, and pipelines after them."""
    await hold(attacker, attacker.head(path="/peer/x", x_big="x" * 30_000) + attacker.head() * 2000)


@attack("memory per connection", roles=AGENTS, memory=BOUND, **HANGING)
async def stalled_bodies(attacker):
    """Bodies that come in small chunks and stop."""
    head = attacker.head("POST", "/peer/x", transfer_encoding="chunked")
    await hold(attacker, head + b"1\r\nx\r\n" * 1000)


async def dribbling(reader, writer):
    """A gateway whose 402 has a body that comes byte by byte."""
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 402 Pay\r\ncontent-type: application/json\r\ncontent-length: 20000\r\n\r\n")
            for _ in range(20_000):
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0)
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


@attack(
    "memory per connection", memory=64, roles=AGENTS, peer=dribbling,
    gateways='  peer: { url: "http://127.0.0.1:PEER" }',
)
async def dribbled_challenges(attacker):
    """Challenges that a gateway sends byte by byte."""

    async def once(_):
        wire = await attacker.connect()
        try:
            await attacker.send(wire, attacker.head(path="/peer/x"))
            await asyncio.get_running_loop().sock_recv(wire, 4096)
        finally:
            wire.close()

    await attacker.again_and_again(64, once)
