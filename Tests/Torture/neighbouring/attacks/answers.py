"""Answers that are not read."""

import asyncio

from attack import AGENTS, STRANGER, attack


@attack("unread answers")
async def unread_refusals(attacker):
    """Requests whose answer is a refusal, one after the other, on connections that nobody reads."""
    request = attacker.head(path="/nowhere/x") * 256

    async def once(_):
        wire = await attacker.connect(receive=4096)
        try:
            while True:
                await attacker.send(wire, request)
        finally:
            wire.close()

    await attacker.again_and_again(4, once)


@attack("unread answers")
async def unread_continues(attacker):
    """Requests that ask for a 100 each, unread; with no token each is refused before its body."""
    request = attacker.head(method="POST", content_length=1, expect="100-continue") + b"x"

    async def once(_):
        wire = await attacker.connect(receive=4096)
        try:
            while True:
                await attacker.send(wire, request * 256)
        finally:
            wire.close()

    await attacker.again_and_again(4, once)


@attack("unread answers", roles=(STRANGER,))
async def unread_metrics(attacker):
    """Scrapes whose answers are not read."""
    request = attacker.head(path="/metrics", port=attacker.metrics) * 64

    async def once(_):
        wire = await attacker.connect(attacker.metrics, receive=4096)
        try:
            while True:
                await attacker.send(wire, request)
        finally:
            wire.close()

    await attacker.again_and_again(4, once)


@attack("unread answers", roles=AGENTS)
async def unread_over_tls(attacker):
    """Refused requests at the TLS listener, unread."""
    request = attacker.head(path="/nowhere/x") * 64

    async def once(_):
        reader, writer = await attacker.connect_tls()
        writer.transport.pause_reading()
        try:
            while True:
                writer.write(request)
                await writer.drain()
                attacker.count("bytes sent", len(request))
        finally:
            writer.transport.abort()

    await attacker.again_and_again(4, once)


async def endless(reader, writer):
    """A gateway that sends as much as is read: interim answers, then a body."""
    try:
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(12):
            writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </%s>\r\n\r\n" % (b"x" * 8000))
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            writer.write(b"y" * 65536)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


@attack(
    "unread answers", roles=AGENTS, gateways='  peer: { url: "http://127.0.0.1:PEER" }', peer=endless, memory=96
)
async def unread_streams(attacker):
    """Endless answers that are not read, on many connections."""

    async def once(_):
        wire = await attacker.connect(receive=4096)
        try:
            await attacker.send(wire, attacker.head(path="/peer/x"))
            await asyncio.sleep(5)
        finally:
            wire.close()

    await attacker.again_and_again(32, once)


@attack("unread answers", roles=(STRANGER,))
async def idle_metrics(attacker):
    """Connections to the metrics listener that say nothing, or half a request."""

    async def once(index):
        wire = await attacker.connect(attacker.metrics)
        try:
            if index % 2:
                await attacker.send(wire, b"GET /metrics HT")
            await asyncio.sleep(60)
        finally:
            wire.close()

    await attacker.again_and_again(200, once)
