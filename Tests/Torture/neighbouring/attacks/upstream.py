"""Connections to gateways, and requests that come back."""

import asyncio

from attack import AGENTS, attack

# Heads and bodies that a server may read as two requests, with the second one's beginning left over on its connection.
LEFT_OVER = b"GET /free?smuggled HTTP/1.1\r\nhost: x\r\nx: "
SMUGGLED = (
    ("Content_Length: {length}\r\n", LEFT_OVER),
    ("content_length: 0\r\ncontent-length: {length}\r\n", LEFT_OVER),
    ("Transfer_Encoding: chunked\r\ncontent-length: {length}\r\n", b"0\r\n\r\n" + LEFT_OVER),
    ("content-length: {length}\r\ncontent-length: 0\r\n", LEFT_OVER),
    ("content-length: 0{length}\r\n", LEFT_OVER),
    ("transfer-encoding: chunked\r\ncontent-length: {length}\r\n", b"0\r\n\r\n" + LEFT_OVER),
    ("transfer-encoding: chunked\r\n", b"0\r\nx: y\r\nGET /free HTTP/1.1\r\n\r\n" + LEFT_OVER),
    ("expect: 100-continue\r\ncontent-length: {length}\r\n", LEFT_OVER),
)


@attack("exchanges of others", roles=AGENTS)
async def smuggled_requests(attacker):
    """Requests with another one in their body, for a gateway that the honest agent uses too."""
    loop = asyncio.get_running_loop()

    async def once(index):
        fields, body = SMUGGLED[index % len(SMUGGLED)]
        head = attacker.head(method="POST")[:-2] + fields.format(length=len(body)).encode() + b"\r\n"
        wire = await attacker.connect()
        try:
            await attacker.send(wire, head + body)
            answer = await asyncio.wait_for(loop.sock_recv(wire, 65536), 5)
            attacker.count(answer[9:12].decode(errors="replace") or "nothing")
        except TimeoutError:
            attacker.count("no answer")
        finally:
            wire.close()

    await attacker.again_and_again(2 * len(SMUGGLED), once)


@attack("idle connections to gateways", roles=AGENTS)
async def many_idle_connections(attacker):
    """More requests at once than idle connections are kept, again and again."""
    loop = asyncio.get_running_loop()
    wires = [await attacker.connect() for _ in range(400)]
    try:
        while True:
            for wire in wires:
                await attacker.send(wire, attacker.head())
            for wire in wires:
                await loop.sock_recv(wire, 65536)
            attacker.count("rounds")
            await asyncio.sleep(0.2)
    finally:
        for wire in wires:
            wire.close()


class Relay:
    """Sends what it gets back to the daemon, with the attacker's token, as a gateway that leads there."""

    attacker = None

    @classmethod
    async def serve(cls, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.split(b"\r\n")
                kept = [line for line in lines[1:-2] if not line.lower().startswith((b"host:", b"authorization:"))]
                own = [b"GET /peer/x HTTP/1.1", b"host: 127.0.0.1:%d" % cls.attacker.port]
                token = b"authorization: Bearer " + cls.attacker.token.encode()
                back_in, back_out = await asyncio.open_connection("127.0.0.1", cls.attacker.port)
                back_out.write(b"\r\n".join([*own, token, b"connection: close", *kept, b"", b""]))
                answer = await back_in.read()
                back_out.close()
                cls.attacker.count("laps")
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@attack("requests that come back", roles=AGENTS, gateways='  peer: { url: "http://127.0.0.1:PEER" }', peer=Relay.serve)
async def round_and_round(attacker):
    """Requests to a gateway that leads back to the daemon."""
    Relay.attacker = attacker
    loop = asyncio.get_running_loop()

    async def once(_):
        wire = await attacker.connect()
        try:
            await attacker.send(wire, attacker.head(path="/peer/x", connection="close"))
            answer = await asyncio.wait_for(loop.sock_recv(wire, 65536), 5)
            attacker.count(answer[9:12].decode(errors="replace") or "nothing")
        finally:
            wire.close()

    await attacker.again_and_again(16, once)
