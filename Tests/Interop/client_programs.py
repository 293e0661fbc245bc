"""Programs as agents are written, one for each library: `client_programs.py NAME BASE`.

Each reads one streamed answer and prints when its pieces came, in seconds since the epoch, and what they were. None knows of
payments or of Purser: keys, proxies and trusted certificates come from the environment, by the libraries' own habits.
"""

import asyncio
import json
import os
import ssl
import sys
import time

MODEL = "parrot-1"
QUESTION = [{"role": "user", "content": "Say it."}]


def openai(base):
    from openai import OpenAI

    stream = OpenAI(base_url=f"{base}/v1").chat.completions.create(model=MODEL, messages=QUESTION, stream=True)
    for chunk in stream:
        yield chunk.choices[0].delta.content


def anthropic(base):
    from anthropic import Anthropic

    with Anthropic(base_url=base).messages.stream(model=MODEL, messages=QUESTION, max_tokens=100) as stream:
        yield from stream.text_stream


def httpx(base, **options):
    import httpx

    with httpx.stream("GET", f"{base}/v1/events", headers=key(), **options) as answer:
        answer.raise_for_status()
        yield from events(answer.iter_lines())


def httpx_strict(base):
    """What Python does by itself from 3.13 on: certificates are held against RFC 5280 to the letter."""
    context = ssl.create_default_context()
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return httpx(base, verify=context)


def requests(base):
    import requests

    with requests.get(f"{base}/v1/events", headers=key(), stream=True) as answer:
        answer.raise_for_status()
        yield from events(line.decode() for line in answer.iter_lines(chunk_size=1))


async def aiohttp(base):
    import aiohttp

    async with aiohttp.ClientSession(trust_env=True, raise_for_status=True) as session:
        async with session.get(f"{base}/v1/events", headers=key()) as answer:
            async for line in answer.content:
                for piece in events([line.decode().rstrip("\n")]):
                    yield piece


def key():
    return {"authorization": f"Bearer {os.environ['AGENT_KEY']}"}


def events(lines):
    """What stands in the events of a stream, as each comes."""
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))["piece"]


async def gathered(pieces):
    came = []
    if hasattr(pieces, "__aiter__"):
        async for piece in pieces:
            came.append((time.time(), piece))
    else:
        for piece in pieces:
            came.append((time.time(), piece))
    return [(at, piece) for at, piece in came if piece]


def main():
    name, base = sys.argv[1:]
    programs = {
        "openai": openai,
        "anthropic": anthropic,
        "httpx": httpx,
        "httpx-strict": httpx_strict,
        "requests": requests,
        "aiohttp": aiohttp,
    }
    print(json.dumps(asyncio.run(gathered(programs[name](base)))))


if __name__ == "__main__":
    main()
