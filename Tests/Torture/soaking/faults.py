"""A TCP proxy that fails in all the ways in which networks and peers do, by a plan for each connection.

The plan of the n-th connection follows from the seed and from n alone.
"""

import asyncio
import collections
import random
import socket
import struct

from seen import Listening

PIECE = 1 << 16
# Offsets at which something happens: within heads, at their ends, within bodies, far behind several exchanges.
OFFSETS = [(0, 2), (2, 60), (60, 400), (400, 1200), (1200, 6000), (6000, 60_000), (60_000, 1_500_000)]
KINDS = {
    # kind: weight
    "none": 26,
    "reset asking": 8,
    "reset answering": 8,
    "end asking": 5,
    "end answering": 8,
    "end behind head": 5,
    "end between": 9,
    "reset between": 6,
    "short stall asking": 4,
    "short stall answering": 5,
    "long stall asking": 3,
    "long stall answering": 4,
    "byte by byte asking": 3,
    "byte by byte answering": 4,
    "trickle asking": 2,
    "trickle answering": 3,
    "silence": 2,
    "deaf": 2,
    "refused": 3,
    "late": 3,
}


class Plan:
    """What becomes of one connection."""

    def __init__(self, choice, spared=()):
        kinds = [kind for kind in KINDS if kind not in spared]
        self.kind = choice.choices(kinds, [KINDS[kind] for kind in kinds])[0]
        self.at = choice.randrange(*choice.choice(OFFSETS))
        self.pause = choice.uniform(0.02, 0.4)


def reset(writer):
    """Ends a connection with a reset."""
    wire = writer.get_extra_info("socket")
    if wire is not None and wire.fileno() >= 0:
        try:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
    writer.transport.abort()


class Ended(Exception):
    """The plan has ended the connection."""


class Faults:
    """One proxy in front of one upstream."""

    def __init__(self, name, target, seed, long, seen=None, spared=()):
        self.name, self.target, self.seed, self.long = name, target, seed, long
        self.seen, self.spared = seen, spared
        self.number = 0
        self.port = None
        self.server = None
        self.counts = collections.Counter()
        self.tasks = set()

    async def start(self):
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", self.port or 0, backlog=512)
        self.port = self.server.sockets[0].getsockname()[1]

    async def outage(self, seconds):
        """Nobody listens for a while."""
        self.counts["outage"] += 1
        self.server.close()
        await asyncio.sleep(seconds)
        await self.start()

    async def accept(self, reader, writer):
        self.number += 1
        plan = Plan(random.Random(f"{self.seed} {self.name} {self.number}"), self.spared)
        self.counts[plan.kind] += 1
        task = asyncio.current_task()
        self.tasks.add(task)
        try:
            await Passage(self, plan, reader, writer).run()
        except asyncio.CancelledError:
            pass
        finally:
            self.tasks.discard(task)

    async def stop(self):
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class Passage:
    """One connection through the proxy."""

    def __init__(self, proxy, plan, reader, writer):
        self.proxy, self.plan, self.reader, self.writer = proxy, plan, reader, writer
        self.ears = Listening(proxy.seen) if proxy.seen else None
        self.upstream = None
        self.last = 0.0
        self.owes = False
        self.told = 0

    async def run(self):
        kind = self.plan.kind
        try:
            if kind == "refused":
                return reset(self.writer)
            if kind == "deaf":
                self.writer.transport.pause_reading()
                return await asyncio.sleep(3 * self.proxy.long)
            if kind == "silence":
                return await self.swallow()
            far, self.upstream = await asyncio.open_connection("127.0.0.1", self.proxy.target)
            pumps = [
                asyncio.create_task(self.pump(self.reader, self.upstream, "asking", self.request)),
                asyncio.create_task(self.pump(far, self.writer, "answering", self.answer)),
            ]
            if kind.endswith("between"):
                pumps.append(asyncio.create_task(self.between()))
            try:
                done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_EXCEPTION)
                for pump in done:
                    pump.result()
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        except (Ended, OSError):
            pass
        finally:
            for end in (self.writer, self.upstream):
                if end is not None:
                    end.close()

    async def swallow(self):
        """Takes what comes, and never says a word."""
        loop = asyncio.get_running_loop()
        until = loop.time() + 3 * self.proxy.long
        while (left := until - loop.time()) > 0:
            try:
                data = await asyncio.wait_for(self.reader.read(PIECE), left)
            except TimeoutError:
                return
            if not data:
                return
            self.request(data)

    def request(self, data):
        self.owes = True
        if self.ears:
            self.ears.request(data)

    def answer(self, data):
        self.owes = False
        self.last = asyncio.get_running_loop().time()
        self.told += len(data)
        if self.ears:
            self.ears.answer(data)

    async def between(self):
        """Ends a connection that is kept open, in the pause between two exchanges."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0.01)
            is_quiet = self.told > self.plan.at % 20_000 and not self.owes and loop.time() - self.last > self.plan.pause
            if is_quiet:
                if self.plan.kind.startswith("reset"):
                    reset(self.writer)
                raise Ended

    async def pump(self, reader, writer, side, note):
        """Passes bytes on in one direction until its end, by the plan."""
        kind, at, passed = self.plan.kind, self.plan.at, 0
        is_mine = kind.endswith(side)
        is_late = kind == "late" and side == "answering"
        while data := await reader.read(PIECE):
            note(data)
            if is_late:
                is_late = False
                await asyncio.sleep(1.3 * self.proxy.long)
            if kind == "end behind head" and side == "answering" and b"\r\n\r\n" in data:
                await self.write(writer, data[: data.index(b"\r\n\r\n") + 4])
                raise Ended
            if is_mine and passed + len(data) > at:
                before, data = data[: max(0, at - passed)], data[max(0, at - passed) :]
                passed += len(before)
                await self.write(writer, before)
                data = await self.happen(writer, data)
                is_mine = kind.startswith(("byte", "trickle")) and passed < at + 4000
            passed += len(data)
            await self.write(writer, data)
        if writer.can_write_eof():
            writer.write_eof()

    async def happen(self, writer, data):
        """What the plan says; returns what is still to be passed on."""
        kind = self.plan.kind
        if kind.startswith("reset"):
            # Towards the daemon always: that is who is tried.
            reset(self.writer)
            raise Ended
        if kind.startswith("end"):
            raise Ended
        if kind.startswith("short stall"):
            await asyncio.sleep(2 * self.plan.pause)
        elif kind.startswith("long stall"):
            await asyncio.sleep(1.6 * self.proxy.long)
        elif kind.startswith("byte"):
            for at in range(min(len(data), 600)):
                await self.write(writer, data[at : at + 1])
                await asyncio.sleep(0)
            return data[600:]
        elif kind.startswith("trickle"):
            for at in range(0, min(len(data), 4000), 200):
                await self.write(writer, data[at : at + 200])
                await asyncio.sleep(self.plan.pause / 4)
            return data[4000:]
        return data

    async def write(self, writer, data):
        if data:
            writer.write(data)
            await writer.drain()
