"""An upstream for what nginx cannot play: server-sent events, streams that stay open, and a place to upload to.

usage: streams.py PORT
"""

import asyncio
import sys

EVENT = b"data: {\"index\":0}\n\n"
CHUNK = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def discard(reader, length):
    while length > 0:
        got = await reader.read(min(length, 1 << 20))
        if not got:
            return
        length -= len(got)


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            path = lines[0].split(b" ")[1]
            fields = dict(line.lower().split(b":", 1) for line in lines[1:] if b":" in line)
            await discard(reader, int(fields.get(b"content-length", b"0")))
            if path.endswith(b"/sse"):
                # The head and the first event leave in one piece, as a model's first token does.
                writer.write(HEAD + CHUNK + b"0\r\n\r\n")
            elif path.endswith(b"/held"):
                writer.write(HEAD + CHUNK)
                while True:
                    await writer.drain()
                    await asyncio.sleep(15)
                    writer.write(CHUNK)
            else:
                writer.write(OK)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=4096, limit=1 << 20)
    async with server:
        await server.serve_forever()


asyncio.run(main())
