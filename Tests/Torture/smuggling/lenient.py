#!/usr/bin/env python3
"""A server that reads HTTP/1.1 as leniently as servers have: a request that a strict proxy hides shows here.

Usage: lenient PORT

Names with `_` or any other symbol are read as if it were `-`, lengths with zeros in front as octal or decimal, lines end at a
bare line feed, the last length counts. What else is read otherwise depends on the dialect, which each connection has in turn.
It prints the target of every request that begins with `/smuggled`, and at the end how many it has seen.
"""

import asyncio
import itertools
import re
import signal
import sys

# (octal lengths, the length wins over chunks, trailers are taken for the next request as in Puma before 6.3.1)
DIALECTS = list(itertools.product((False, True), repeat=3))
NUMBERS = itertools.count()
SEEN = 0


def number(text, octal):
    text = text.strip(b" \t\x0b\x0c\r\0\"+")
    digits = re.match(rb"0x[0-9a-fA-F]+|\d+", text)
    if not digits:
        return 0
    digits = digits[0]
    if digits.lower().startswith(b"0x"):
        return int(digits, 16)
    if octal and digits.startswith(b"0") and re.fullmatch(rb"[0-7]+", digits):
        return int(digits, 8)
    return int(digits)


async def read_chunks(reader, ends_early):
    while True:
        line = await reader.readline()
        digits = re.match(rb"[ \t]*(?:0x)?([0-9a-fA-F]*)", line)[1]
        size = int(digits, 16) if digits else 0
        if not line:
            raise EOFError
        if size == 0:
            break
        if size > 1 << 20:
            raise EOFError
        await reader.readexactly(size)
        await reader.readline()
    if ends_early:
        await reader.readexactly(2)
        return
    while (line := await reader.readline()).strip(b"\r\n"):
        pass
    if not line:
        raise EOFError


async def serve(reader, writer):
    global SEEN
    octal, length_wins, ends_early = DIALECTS[next(NUMBERS) % len(DIALECTS)]
    try:
        while first := await reader.readline():
            if not first.strip():
                continue
            words = first.split()
            # A blank before the method is more than any of them takes, Puma included.
            if len(words) < 2 or first[:1] in b" \t" or not re.fullmatch(rb"[A-Z]+", words[0]):
                break
            SEEN += words[1].startswith(b"/m")
            if words[1].startswith(b"/smuggled"):
                print(f"smuggled {words[1].decode('latin-1')}", flush=True)
            length, is_chunked = 0, False
            while (line := await reader.readline()).strip(b"\r\n"):
                name, _, value = line.partition(b":")
                name = re.sub(rb"[^a-z0-9]", b"-", name.strip().lower())
                if name == b"content-length":
                    length = number(value, octal)
                elif name == b"transfer-encoding" and b"chunked" in value.lower():
                    is_chunked = True
            if is_chunked and not (length_wins and length):
                await read_chunks(reader, ends_early)
            elif length:
                if length > 1 << 20:
                    break
                await reader.readexactly(length)
            body = words[1]
            head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
            writer.write(head if words[0] == b"HEAD" else head + body)
            await writer.drain()
    except (OSError, EOFError, ValueError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=512)
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    print("ready", flush=True)
    await end.wait()
    print(f"seen {SEEN}", flush=True)
    server.close()


asyncio.run(main())
