"""The honest agent: a few requests of each kind at a steady pace, each timed, each answer checked."""

import asyncio
import json
import statistics
import time

from wire import Gone, Garbled, Hang, Wire

# What is asked for, and how many times a second.
RATES = {"plain": 60, "new connection": 8, "paid": 12, "metrics": 2}
PATIENCE = 10


class Honest:
    """Asks at the plain port of a daemon with a token of its own."""

    def __init__(self, daemon, token):
        self.daemon, self.token = daemon, token
        self.times = {kind: [] for kind in RATES}
        self.problems = []
        self.kept = {}
        self.number = 0

    async def run(self, seconds):
        """Asks for so long and waits for the last answers; returns the times in seconds by kind."""
        self.times = {kind: [] for kind in RATES}
        until = time.monotonic() + seconds
        await asyncio.gather(*(self.keep_asking(kind, until) for kind in RATES))
        return self.times

    async def keep_asking(self, kind, until):
        """Begins one request after the other at the kind's pace; a slow answer does not put the next one off."""
        pause, tasks = 1 / RATES[kind], set()
        turn = time.monotonic()
        while turn < until and len(self.problems) < 5:
            await asyncio.sleep(max(0, turn - time.monotonic()))
            turn += pause
            task = asyncio.create_task(self.ask(kind))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def ask(self, kind):
        self.number += 1
        number, began = self.number, time.monotonic()
        try:
            status, body = await asyncio.wait_for(self.answer(kind, number), PATIENCE)
        except (Hang, TimeoutError):
            return self.problems.append(f"{kind}: no answer within {PATIENCE} s")
        except (Gone, Garbled, OSError, asyncio.IncompleteReadError) as error:
            return self.problems.append(f"{kind}: {type(error).__name__} {error}")
        if status != 200:
            return self.problems.append(f"{kind}: {status} {body[:300]!r}")
        self.times[kind].append(time.monotonic() - began)

    async def answer(self, kind, number):
        if kind == "metrics":
            return await self.exchange(await Wire.open(self.daemon.metrics, PATIENCE), kind, number)
        if kind == "new connection":
            return await self.exchange(await Wire.open(self.daemon.port, PATIENCE), kind, number)
        kept = self.kept.setdefault(kind, [])
        wire = kept.pop() if kept else await Wire.open(self.daemon.port, PATIENCE)
        answer = await self.exchange(wire, kind, number, keeps=True)
        kept.append(wire)
        return answer

    async def exchange(self, wire, kind, number, keeps=False):
        try:
            await wire.send(self.request(kind, number, keeps))
            answer = await wire.answer()
        except BaseException:
            wire.close()
            raise
        if not keeps or not answer.keeps:
            wire.close()
        return answer.status, answer.body

    def request(self, kind, number, keeps):
        if kind == "metrics":
            return f"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1:{self.daemon.metrics}\r\nconnection: close\r\n\r\n".encode()
        method, path, body = "GET", "/sim/free", b""
        if kind == "paid":
            method, path = "POST", "/sim/v1/chat/completions"
            messages = [{"role": "user", "content": f"number {number}"}]
            body = json.dumps({"model": "simulator/light", "messages": messages}).encode()
        text = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{self.daemon.port}\r\nauthorization: Bearer {self.token}\r\n"
        if body:
            text += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        if not keeps:
            text += "connection: close\r\n"
        return text.encode() + b"\r\n" + body

    def close(self):
        for wires in self.kept.values():
            for wire in wires:
                wire.close()
        self.kept = {}


def percentile(times, share):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def told(times):
    """Median and 99th percentile of each kind, in ms."""
    return ", ".join(
        f"{kind} {len(those)}: {statistics.median(those) * 1000:.1f}/{percentile(those, 0.99) * 1000:.1f} ms"
        for kind, those in times.items()
        if those
    )
