"""A seller whose every answer can be checked: its body follows from the request's name."""

import asyncio
import base64
import hashlib
import json
import ssl
from urllib.parse import parse_qsl, urlsplit

PRICE = 300
ACCEPT = {
    "scheme": "exact",
    "network": "eip155:42161",
    "amount": str(PRICE),
    "asset": "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9",
    "payTo": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "maxTimeoutSeconds": 60,
    "extra": {"name": "USD\u20ae0", "version": "1"},
}


def b64(value):
    return base64.b64encode(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()).decode()


CHALLENGE = b64(
    {"x402Version": 2, "error": "Payment required", "resource": {"url": "http://127.0.0.1/"}, "accepts": [ACCEPT]}
)
SETTLED = b64({"success": True, "transaction": "0x" + "ab" * 32, "network": "eip155:42161"})
LIMIT = 1 << 18


def rejection(reason):
    return b64({"success": False, "errorReason": reason, "transaction": "", "network": "eip155:42161"})


def content(name, length):
    """The body of the answer to a request of that name."""
    block = hashlib.sha256(name.encode()).hexdigest().encode()
    return (block * (length // len(block) + 1))[:length]


def events(name, count):
    return [b"data: %d %s\n\n" % (index, content(f"{name}-{index}", 80)) for index in range(count)] + [
        b"data: [DONE]\n\n"
    ]


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class Request:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.method, target, _ = lines[0].split(" ", 2)
        parts = urlsplit(target)
        self.route, self.name = parts.path.strip("/").split("/", 1)
        self.is_regular = self.name == "regular"
        self.query = dict(parse_qsl(parts.query))
        self.fields = dict(line.lower().split(":", 1) for line in lines[1:] if ":" in line)
        # What is bought time and again has one path, and its name elsewhere.
        self.name = self.fields.get("x-name", self.name).strip()
        # Values as they were written; only names are the same in any case.
        self.payment = next(
            (line.split(":", 1)[1].strip() for line in lines[1:] if line.lower().startswith("payment-signature:")), None
        )

    def number(self, key, default):
        return int(self.query.get(key, default))


class Seller:
    """Serves connections; a calm one settles every payment, another one does all that sellers do."""

    def __init__(self, seen, calm, reason="insufficient_funds"):
        self.seen, self.calm, self.rejection = seen, calm, rejection(reason)
        self.open = set()
        # Of what is bought time and again: how often the price was asked, and how often it was paid.
        self.asked = self.paid = 0

    async def __call__(self, reader, writer):
        self.open.add(writer)
        try:
            while await self.one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError, ssl.SSLError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def one(self, reader, writer):
        """Answers one request; returns whether the connection goes on."""
        request = Request(await reader.readuntil(b"\r\n\r\n"))
        is_paid = request.route.startswith("paid") and request.payment is None
        if is_paid and request.number("early", 0):
            # Before the body, which has to be taken all the same.
            await self.answer(writer, request, 402, {"PAYMENT-REQUIRED": CHALLENGE}, b"{}")
            await self.body(reader, request)
            return True
        digest, length = await self.body(reader, request)
        if is_paid:
            self.asked += request.is_regular
            await self.answer(writer, request, 402, {"PAYMENT-REQUIRED": CHALLENGE}, b"{}")
            return True
        fields = {}
        if request.route.startswith("paid"):
            fields = await self.till(writer, request)
            if fields is None:
                return False
        if fields.pop("status", None) is not None:
            return True
        fields |= {"x-sum": digest, "x-length": str(length)}
        return await self.serve(reader, writer, request, fields)

    async def till(self, writer, request):
        """Takes the payment, or not: None when the connection has ended for it, `status` when all is said."""
        nonce = self.seen.note(request.payment.encode())
        # The same payment meets the same fate each time.
        way = int(hashlib.sha256(f"way {nonce}".encode()).hexdigest()[:4], 16) / 65536
        if self.calm or way < 0.86:
            self.paid += request.is_regular
            self.seen.settled.add(nonce)
            return {"PAYMENT-RESPONSE": SETTLED}
        if way < 0.90:
            return {}
        if way < 0.97:
            status, fields = (
                (402, {"PAYMENT-REQUIRED": CHALLENGE, "PAYMENT-RESPONSE": self.rejection})
                if way < 0.93
                else (500, {})
                if way < 0.96
                else (409, {})
            )
            await self.answer(writer, request, status, fields, content(request.name, 200))
            return {"status": status}
        writer.transport.abort()
        return None

    async def body(self, reader, request):
        digest, total = hashlib.sha256(), 0

        async def take(length):
            nonlocal total
            while length > 0:
                data = await reader.read(min(length, LIMIT))
                if not data:
                    raise asyncio.IncompleteReadError(b"", length)
                digest.update(data)
                total += len(data)
                length -= len(data)

        if "chunked" in request.fields.get("transfer-encoding", ""):
            while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
                await take(size)
                await reader.readexactly(2)
            while await reader.readuntil(b"\r\n") != b"\r\n":
                pass
        else:
            await take(int(request.fields.get("content-length", "0")))
        return digest.hexdigest(), total

    async def answer(self, writer, request, status, fields, body, framing="length"):
        text = f"HTTP/1.1 {status} Said\r\nx-seller: {request.name}\r\n"
        text += "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        has_body = request.method != "HEAD" and status != 204
        if framing == "chunked":
            text += "transfer-encoding: chunked\r\n\r\n"
        elif framing == "close":
            text += "connection: close\r\n\r\n"
        elif status == 204:
            text += "\r\n"
        else:
            text += f"content-length: {len(body)}\r\n\r\n"
        data = text.encode("latin-1")
        if has_body and framing == "chunked":
            pieces = [body[at : at + 8192] for at in range(0, len(body), 8192)]
            data += b"".join(chunk(piece) for piece in pieces) + b"0\r\nx-trailer: end\r\n\r\n"
        elif has_body:
            data += body
        for at in range(0, len(data), LIMIT):
            writer.write(data[at : at + LIMIT])
            await writer.drain()

    async def serve(self, reader, writer, request, fields):
        route = request.route.removeprefix("paid-")
        if route == "events":
            return await self.stream(writer, request, fields)
        if route == "socket":
            return await self.switch(reader, writer, request)
        if request.number("interim", 0):
            writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n")
        status = request.number("status", 200)
        framing = request.query.get("framing", "length")
        await self.answer(writer, request, status, fields, content(request.name, request.number("n", 256)), framing)
        return framing != "close"

    async def stream(self, writer, request, fields):
        text = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
        text += f"x-seller: {request.name}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(text.encode("latin-1") + b"\r\n")
        for event in events(request.name, request.number("n", 10)):
            writer.write(chunk(event))
            await writer.drain()
            await asyncio.sleep(request.number("ms", 20) / 1000)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def switch(self, reader, writer, request):
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            + f"x-seller: {request.name}\r\n\r\n".encode()
        )
        while data := await reader.read(LIMIT):
            writer.write(data)
            await writer.drain()
        return False


async def echo(reader, writer):
    """What is at the far end of a tunnel."""
    try:
        while data := await reader.read(LIMIT):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
