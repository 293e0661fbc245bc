"""What agents share: connections, places at a gateway, replay copies in memory and on the disk, learned prices, kept answers.

Each attack takes as many units of a small pot as it is given and keeps them; the honest agent still has its share.
"""

import asyncio
import json

from attack import AGENTS, attack


async def held(attacker, number, once):
    """Begins `once(index)` for each of some connections, and keeps what it returns open."""
    wires = []
    try:
        for index in range(number):
            wires.append(await once(index))
            if index % 8 == 7:
                await asyncio.sleep(0.005)
        attacker.count("held", len(wires))
        await asyncio.Event().wait()
    finally:
        for wire in wires:
            wire.close()


@attack("connections", settings="connections: { total: 64, per-agent: 64 }")
async def held_connections(attacker):
    """Connections that are kept open, after a request where there is a token."""

    async def once(_):
        wire = await attacker.connect()
        if attacker.token:
            await attacker.send(wire, attacker.head())
        return wire

    await held(attacker, 128, once)


@attack("gateway places", roles=AGENTS, gateway="max-connections: 40")
async def hanging_requests(attacker):
    """Requests that hold a place at the gateway: of the body one byte never comes."""
    head = attacker.head(method="POST", path="/sim/v1/chat/completions", content_length=2)

    async def once(_):
        wire = await attacker.connect()
        await attacker.send(wire, head + b"x")
        return wire

    await held(attacker, 80, once)


def uploads(attacker, size, total):
    """A connection with a body of which the last byte never comes."""
    head = attacker.head(method="POST", path="/sim/v1/chat/completions", content_length=total)

    async def once(_):
        wire = await attacker.connect()
        await attacker.send(wire, head + b"x" * size)
        return wire

    return once


@attack("replay memory", roles=AGENTS, settings="replay: { memory: 1MiB, per-request: 64MiB, total: 16MiB }")
async def stalled_uploads(attacker):
    """Uploads just short of what is kept in memory, which stall."""
    await held(attacker, 48, uploads(attacker, (1 << 20) - 4096, 1 << 20))


@attack(
    "spooled uploads", roles=AGENTS,
    settings="replay: { memory: 64KiB, per-request: 64MiB, total: 16MiB }\nspool: { total: 64MiB }")
async def stalled_spools(attacker):
    """Uploads of 4 MiB each that go to the disk and stall."""
    await held(attacker, 32, uploads(attacker, 4 << 20, (4 << 20) + 1))


@attack("learned prices", roles=AGENTS, settings="learned-prices: { total: 64 }")
async def many_routes(attacker):
    """Purchases on ever other routes, three of each."""
    numbers = iter(range(10**9))
    body = json.dumps({"model": "simulator/light", "messages": [{"role": "user", "content": "x"}]}).encode()

    async def once(_):
        path = f"/sim/v1/chat/completions?route={next(numbers)}"
        head = attacker.head(method="POST", path=path, content_type="application/json", content_length=len(body))
        wire = await attacker.connect()
        try:
            for _ in range(3):
                await attacker.send(wire, head + body)
                if not await asyncio.get_running_loop().sock_recv(wire, 1 << 16):
                    raise EOFError
                attacker.count("purchases")
        finally:
            wire.close()

    await attacker.again_and_again(4, once)


@attack("kept answers", roles=("capped",), settings="kept-answers: { each: 1MiB, total: 2MiB, time: 60s }")
async def broken_off_answers(attacker):
    """Streamed purchases whose agent leaves before the end, so that their answers are kept."""
    numbers = iter(range(10**9))

    async def once(_):
        messages = [{"role": "user", "content": f"number {next(numbers)}"}]
        body = json.dumps({"model": "simulator/light", "stream": True, "messages": messages}).encode()
        head = attacker.head(
            method="POST", path="/sim/v1/chat/completions", content_type="application/json",
            content_length=len(body))
        wire = await attacker.connect()
        try:
            await attacker.send(wire, head + body)
            await asyncio.get_running_loop().sock_recv(wire, 1 << 16)
        finally:
            wire.close()

    await attacker.again_and_again(8, once)
