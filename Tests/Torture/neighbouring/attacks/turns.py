"""Turns of the event loop."""

import asyncio

from attack import AGENTS, STRANGER, attack, reset


async def pipelined(attacker, number, request, count=200):
    """Sends a pipeline on each of some connections and reads what comes."""
    loop = asyncio.get_running_loop()

    async def once(_):
        wire = await attacker.connect()

        async def read():
            while data := await loop.sock_recv(wire, 1 << 18):
                attacker.count("bytes read", len(data))

        reading = asyncio.create_task(read())
        try:
            while not reading.done():
                await attacker.send(wire, request * count)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            wire.close()

    await attacker.again_and_again(number, once)


@attack("event loop turns")
async def pipelined_refusals(attacker):
    """64 connections that pipeline requests to a gateway that there is not."""
    await pipelined(attacker, 64, attacker.head(path="/nowhere/x"))


@attack("event loop turns", roles=AGENTS)
async def pipelined_requests(attacker):
    """64 connections that pipeline requests which are served."""
    await pipelined(attacker, 64, attacker.head())


@attack("event loop turns", roles=AGENTS)
async def tiny_chunks(attacker):
    """Bodies in chunks of one byte, as fast as they are taken."""
    head = attacker.head(method="POST", path="/nowhere/x", transfer_encoding="chunked")
    await pipelined(attacker, 16, head + b"1\r\nx\r\n" * 4096 + b"0\r\n\r\n", count=4)


@attack("event loop turns", roles=(STRANGER,))
async def accept_storm(attacker):
    """Connections that are made and reset as fast as they can be."""

    async def once(_):
        reset(await attacker.connect())

    await attacker.again_and_again(64, once)
