"""HTTP/1.1 as an agent speaks it, with an eye on where an answer ends and whether it is whole."""

import asyncio
import socket
import struct


class Gone(Exception):
    """The connection ended before an answer began."""


class Hang(Exception):
    """Nothing came for much longer than anybody may wait."""


class Garbled(Exception):
    """What came is no answer."""


class Answer:
    def __init__(self, status, fields):
        self.status, self.fields = status, fields
        self.body = b""
        self.whole = False
        self.framing = None
        self.interims = 0

    @property
    def keeps(self):
        return self.whole and self.framing != "close" and self.fields.get("connection", "") != "close"


class Reader(asyncio.StreamReader):
    """Gives what came before a reset, and then an end; the usual one forgets it."""

    was_cut = False

    def set_exception(self, exc):
        self.was_cut = True
        self.feed_eof()


class Wire:
    """One connection of an agent."""

    def __init__(self, reader, writer, patience):
        self.reader, self.writer, self.patience = reader, writer, patience

    @staticmethod
    async def open(place, patience, limit=1 << 17):
        """To a port of this machine, or to a socket's file."""
        loop = asyncio.get_running_loop()
        reader = Reader(limit=limit, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        if isinstance(place, int):
            transport, _ = await loop.create_connection(lambda: protocol, "127.0.0.1", place)
        else:
            transport, _ = await loop.create_unix_connection(lambda: protocol, str(place))
        return Wire(reader, asyncio.StreamWriter(transport, protocol, reader, loop), patience)

    async def send(self, data):
        self.writer.write(data)
        try:
            await self.wait(self.writer.drain())
        except ConnectionError:
            # An answer may have come all the same; who reads it finds the end.
            pass

    async def wait(self, something):
        try:
            return await asyncio.wait_for(something, self.patience)
        except TimeoutError:
            raise Hang from None

    async def head(self):
        try:
            text = await self.wait(self.reader.readuntil(b"\r\n\r\n"))
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise Garbled(f"a head broke off: {error.partial[-200:]!r}") from None
            raise Gone("by a reset" if self.reader.was_cut else "in order") from None
        lines = text.decode("latin-1").split("\r\n")
        words = lines[0].split(" ", 2)
        if words[0] != "HTTP/1.1" or not words[1].isdigit():
            raise Garbled(f"no status line: {lines[0][:200]!r}")
        fields = {}
        for line in lines[1:-2]:
            name, value = line.split(":", 1)
            fields[name.lower()] = value.strip()
        return Answer(int(words[1]), fields)

    async def answer(self, method="GET", pace=None):
        """Reads one answer; it is not whole when it broke off. `pace` is (bytes, seconds) to read slowly."""
        answer, interims = await self.head(), 0
        while 100 <= answer.status < 200 and answer.status != 101:
            interims += 1
            answer = await self.head()
        answer.interims = interims
        body = bytearray()
        try:
            await self.body(answer, method, pace, body)
            answer.whole = True
        except asyncio.IncompleteReadError:
            pass
        answer.body = bytes(body)
        return answer

    async def body(self, answer, method, pace, body):
        if method == "HEAD" or answer.status in (101, 204, 304):
            answer.framing = "none"
        elif "transfer-encoding" in answer.fields:
            answer.framing = "chunked"
            while size := await self.chunk_size():
                await self.take(size, pace, body)
                if await self.wait(self.reader.readexactly(2)) != b"\r\n":
                    raise Garbled("a chunk does not end where it should")
            while await self.wait(self.reader.readuntil(b"\r\n")) != b"\r\n":
                pass
        elif "content-length" in answer.fields:
            answer.framing = "length"
            await self.take(int(answer.fields["content-length"]), pace, body)
        else:
            answer.framing = "close"
            await self.take(None, pace, body)

    async def chunk_size(self):
        line = await self.wait(self.reader.readuntil(b"\r\n"))
        try:
            return int(line.split(b";")[0], 16)
        except ValueError:
            raise Garbled(f"no chunk size: {line[:100]!r}") from None

    async def take(self, length, pace, body):
        """So many bytes, or all until an orderly end."""
        piece = pace[0] if pace else 1 << 16
        while length is None or length > 0:
            data = await self.wait(self.reader.read(piece if length is None else min(piece, length)))
            if not data:
                if length is None and not self.reader.was_cut:
                    return
                raise asyncio.IncompleteReadError(b"", length or 1)
            body += data
            if length is not None:
                length -= len(data)
            if pace:
                await asyncio.sleep(pace[1])

    def close(self):
        self.writer.close()

    def reset(self):
        wire = self.writer.get_extra_info("socket")
        if wire is not None and wire.fileno() >= 0:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
