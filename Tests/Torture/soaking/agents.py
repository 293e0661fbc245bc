"""What agents do, well or badly, and what they make of the answers."""

import asyncio
import base64
import hashlib
import json
import os
import random
import ssl

from seller import content, events
from wire import Garbled, Gone, Hang, Wire

# What the daemon may answer by itself where faults stand behind a gateway, or a seller refuses.
EXPLAINED = {
    "gateway-unreachable",
    "gateway-closed",
    "gateway-truncated",
    "gateway-connect-timeout",
    "gateway-timeout",
    "gateway-resting",
    "gateway-busy",
    "exchange-timeout",
    "attempt-unresolved",
    "attempt-unfit",
    "paid-not-served",
    "learned-price-refused",
}
# What it may answer to a merchant that cheats, besides.
CHEATED = {"gateway-malformed", "redirect-refused", "books-unavailable", "signing-failed", "clock-behind"}
# Kinds whose connections a freeze ends.
TUNNELS = {"switch", "tunnel", "inside TLS"}
PATIENCE = 45
EVENT_PACE = (512, 0.01)


def is_problem(answer):
    return answer.fields.get("content-type") == "application/problem+json"


class Agents:
    """Does one thing after the other, each by a choice that follows from the seed and its number."""

    def __init__(self, soak):
        self.soak = soak
        self.number = 0
        self.kinds = {
            # what: (how often, who does it)
            "plain": (22, self.session),
            "paid": (16, self.paid),
            "regular": (3, self.regular),
            "stream": (7, self.stream),
            "chat": (9, self.chat),
            "upload": (3, self.upload),
            "download": (3, self.download),
            "slow reader": (1.2, self.slow_reader),
            "slow writer": (1.2, self.slow_writer),
            "leaver": (9, self.leaver),
            "pipeline": (4, self.pipeline),
            "switch": (3, self.switch),
            "tunnel": (3, self.tunnel),
            "absolute": (2, self.absolute),
            "inside TLS": (3, self.inside_tls),
            "Unix socket": (5, self.unix_socket),
            "metered": (3, self.metered),
            "cheated": (3, self.cheated),
            "garbage": (3, self.garbage),
        }

    async def act(self):
        """Does one thing."""
        self.number += 1
        choice = random.Random(f"{self.soak.seed} agent {self.number}")
        kind = choice.choices(list(self.kinds), [often for often, _ in self.kinds.values()])[0]
        name = f"{self.number}"
        soak = self.soak
        try:
            await self.kinds[kind][1](name, choice)
        except Hang:
            soak.problem(kind, f"{name}: nothing came for {PATIENCE} s")
        except (Gone, ConnectionError) as error:
            if kind in TUNNELS and soak.was_frozen():
                soak.count(kind, "ended by a freeze")
            else:
                soak.problem(kind, f"{name}: the connection ended without an answer, {type(error).__name__} {error}")
        except Garbled as error:
            soak.problem(kind, f"{name}: {error}")
        except OSError as error:
            soak.problem(kind, f"{name}: {type(error).__name__} {error}")
        except (ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
            soak.problem(kind, f"{name}: {type(error).__name__} {error}")

    # Requests.

    def head(self, method, path, more=(), host=None, token=True):
        host = host or f"127.0.0.1:{self.soak.daemon.port}"
        lines = [f"{method} {path} HTTP/1.1", f"host: {host}", *more]
        if token:
            lines.append(f"authorization: Bearer {self.soak.token}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def post(self, path, body, more=(), **options):
        return self.head("POST", path, [f"content-length: {len(body)}", *more], **options) + body

    async def wire(self, limit=1 << 17):
        return await Wire.open(self.soak.daemon.port, PATIENCE, limit)

    def somewhere(self, choice):
        """A gateway: one without faults, one behind them, one behind them and TLS."""
        return choice.choices(["calm", "seller", "vault"], [3, 5, 2])[0]

    def body(self, name, choice):
        return json.dumps({"model": "m", "name": name, "fill": "x" * choice.choice([0, 10, 300, 5000])}).encode()

    # What answers are worth.

    def look(self, kind, gateway, name, answer, length=256, expected=(200,)):
        """Counts an answer, or notes what is wrong with it; returns whether it is the one that was asked for."""
        soak = self.soak
        if answer.status in expected and answer.fields.get("x-seller") == name:
            return self.compare(kind, gateway, name, answer, content(name, length))
        return self.look_elsewhere(kind, gateway, name, answer)

    def compare(self, kind, gateway, name, answer, wanted):
        soak = self.soak
        if answer.whole and answer.body == wanted:
            soak.count(kind, "whole")
            return True
        # Where the connection's end is the body's, a network that cuts it looks like a seller that is done.
        is_cut = not answer.whole or answer.framing == "close"
        if not is_cut or not wanted.startswith(answer.body):
            soak.problem(kind, f"{name} at {gateway}: {len(answer.body)} bytes that are not those of {len(wanted)}")
        elif gateway == "calm":
            soak.problem(kind, f"{name} at calm: broke off behind {len(answer.body)} of {len(wanted)} bytes")
        else:
            soak.count(kind, "broken off")
        return False

    def look_elsewhere(self, kind, gateway, name, answer, allowed=()):
        """An answer that is not the one that was asked for."""
        soak = self.soak
        if is_problem(answer):
            if not answer.whole:
                return soak.problem(kind, f"{name} at {gateway}: a problem that is not whole, {answer.body!r}")
            # An answer to HEAD says no more than its status.
            code = json.loads(answer.body)["code"] if answer.body else f"HEAD {answer.status}"
            allowed = {*allowed, "HEAD 502", "HEAD 503", "HEAD 504"} if gateway != "calm" else allowed
            is_frozen = code == "frozen" and soak.was_frozen()
            if is_frozen or code in allowed or (gateway != "calm" and code in EXPLAINED):
                soak.count(kind, "refused")
                soak.codes[code] += 1
            else:
                soak.problem(kind, f"{name} at {gateway}: {answer.status} {answer.body[:400]!r}")
        elif answer.fields.get("x-seller") == name and gateway != "calm" and answer.status in (402, 409, 500):
            # The seller's own word.
            if answer.whole:
                soak.count(kind, "refused")
                soak.codes[f"seller's {answer.status}"] += 1
            else:
                soak.count(kind, "broken off")
        else:
            soak.problem(kind, f"{name} at {gateway}: {answer.status} {answer.fields} {answer.body[:200]!r}")
        return False

    async def is_free(self, gateway):
        """A last request: whatever else becomes of it, it has not to wait for others."""
        wire = await self.wire()
        await wire.send(self.head("GET", f"/{gateway}/plain/last"))
        answer = await wire.answer()
        wire.close()
        if b'"gateway-busy"' in answer.body or (gateway == "calm" and answer.status != 200):
            self.soak.problem("end", f"{gateway} answers {answer.status} {answer.body[:300]!r} when all is quiet")

    # Good agents.

    async def session(self, name, choice):
        """Some plain requests on one connection, or each on its own."""
        wire = None
        keeps = choice.random() < 0.7
        for turn in range(choice.randint(1, 8)):
            await self.soak.pace()
            gateway, one = self.somewhere(choice), f"{name}-{turn}"
            length = choice.choice([0, 1, 256, 256, 4000, 30_000])
            framing = choice.choice(["length", "length", "chunked", "close"])
            interim = int(choice.random() < 0.1)
            path = f"/{gateway}/plain/{one}?n={length}&framing={framing}&interim={interim}"
            if wire is None:
                wire = await self.wire()
            if choice.random() < 0.5:
                data, method = self.post(path, b"x" * choice.choice([0, 10, 3000])), "POST"
            else:
                method = choice.choice(["GET", "GET", "HEAD"])
                data = self.head(method, path)
            await wire.send(data)
            answer = await wire.answer(method)
            if method == "HEAD":
                length = 0
            self.look("plain", gateway, one, answer, length)
            if not keeps or not answer.keeps:
                wire.close()
                wire = None
        if wire:
            wire.close()

    async def paid(self, name, choice):
        wire = None
        for turn in range(choice.randint(1, 4)):
            gateway, one = self.somewhere(choice), f"{name}-{turn}"
            body = self.body(one, choice)
            framing = choice.choice(["length", "chunked"])
            data = self.post(
                f"/{gateway}/paid-plain/{one}?n=900&framing={framing}&early={int(choice.random() < 0.1)}", body
            )
            for again in range(3):
                await self.soak.pace()
                wire = wire or await self.wire()
                await wire.send(data)
                answer = await wire.answer("POST")
                is_served = self.look("paid", gateway, one, answer, 900)
                if is_served and answer.fields["x-sum"] != hashlib.sha256(body).hexdigest():
                    self.soak.problem("paid", f"{one} at {gateway}: the seller was sent another body")
                if is_served and "purser-payment" not in answer.fields:
                    self.soak.problem("paid", f"{one} at {gateway}: served, and no payment is named")
                if not answer.keeps:
                    wire.close()
                    wire = None
                if is_served or choice.random() < 0.6:
                    break
                await asyncio.sleep(choice.uniform(0, 0.5))
        if wire:
            wire.close()

    async def regular(self, name, choice):
        """Buys the same one time after the other, and pays at once where its price is known by then."""
        gateway = self.somewhere(choice)
        wire = None
        for turn in range(choice.randint(3, 9)):
            await self.soak.pace()
            one = f"{name}-{turn}"
            body = self.body(one, choice)
            wire = wire or await self.wire()
            more = [f"x-name: {one}", "purser-price: learned", "content-type: application/json"]
            await wire.send(self.post(f"/{gateway}/paid-plain/regular?n=300", body, more))
            answer = await wire.answer("POST")
            is_served = self.look("regular", gateway, one, answer, 300)
            if is_served and answer.fields["x-sum"] != hashlib.sha256(body).hexdigest():
                self.soak.problem("regular", f"{one} at {gateway}: the seller was sent another body")
            if not answer.keeps:
                wire.close()
                wire = None
        if wire:
            wire.close()

    async def stream(self, name, choice):
        await self.soak.pace()
        gateway, count = self.somewhere(choice), choice.choice([3, 20, 60])
        route = choice.choice(["events", "paid-events"])
        wire = await self.wire()
        await wire.send(
            self.post(f"/{gateway}/{route}/{name}?n={count}&ms={choice.choice([0, 5, 40])}", self.body(name, choice))
        )
        answer = await wire.answer("POST")
        if answer.status == 200 and answer.fields.get("x-seller") == name:
            self.compare("stream", gateway, name, answer, b"".join(events(name, count)))
        else:
            self.look_elsewhere("stream", gateway, name, answer)
        wire.close()

    async def chat(self, name, choice):
        """The simulated gateway, which looks at every payment with care."""
        await self.soak.pace()
        kind = "chat"
        route = choice.choice(["v1", "v1", "permit2/v1", "upto/v1", "v1-legacy"])
        streams = choice.random() < 0.4
        message = {"role": "user", "content": f"What is {name}?"}
        body = json.dumps({"model": "simulator/light", "messages": [message], "stream": streams}).encode()
        wire = await self.wire()
        await wire.send(self.post(f"/sim/{route}/chat/completions", body, ["content-type: application/json"]))
        answer = await wire.answer("POST")
        wire.close()
        if answer.status == 200:
            if not answer.whole:
                return self.soak.count(kind, "broken off")
            is_right = answer.body.endswith(b"data: [DONE]\n\n") if streams else "choices" in json.loads(answer.body)
            if is_right:
                return self.soak.count(kind, "whole")
            return self.soak.problem(kind, f"{name}: {answer.body[-300:]!r}")
        if answer.status == 402 and not is_problem(answer):
            return self.soak.problem(kind, f"{name}: the gateway refused a payment: {answer.fields} {answer.body!r}")
        self.look_elsewhere(kind, "sim", name, answer)

    async def upload(self, name, choice):
        """A body of MiB; the seller says what it got."""
        await self.soak.pace()
        gateway = self.somewhere(choice)
        route = choice.choice(["plain", "paid-plain"])
        body = content(f"body {name}", choice.choice([100_000, 1 << 20, 3 << 20]))
        path = f"/{gateway}/{route}/{name}?early={int(choice.random() < 0.3)}"
        is_chunked = choice.random() < 0.4
        more = ["transfer-encoding: chunked"] if is_chunked else [f"content-length: {len(body)}"]
        if choice.random() < 0.3:
            more.append("expect: 100-continue")
        wire = await self.wire()
        sending = asyncio.create_task(self.send_body(wire, self.head("POST", path, more), body, is_chunked))
        try:
            answer = await wire.answer("POST")
        except Gone:
            # Who still sends into a connection that was closed may lose the answer with it.
            if gateway == "calm":
                raise
            return self.soak.count("upload", "lost")
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            wire.close()
        if self.look("upload", gateway, name, answer) and answer.fields["x-sum"] != hashlib.sha256(body).hexdigest():
            self.soak.problem("upload", f"{name} at {gateway}: the seller got {answer.fields['x-length']} other bytes")

    async def send_body(self, wire, head, body, is_chunked):
        wire.writer.write(head)
        for at in range(0, len(body), 1 << 16):
            piece = body[at : at + (1 << 16)]
            wire.writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if is_chunked else piece)
            await wire.writer.drain()
        if is_chunked:
            wire.writer.write(b"0\r\n\r\n")

    async def download(self, name, choice):
        await self.soak.pace()
        gateway, length = self.somewhere(choice), choice.choice([200_000, 1 << 20, 4 << 20])
        wire = await self.wire()
        await wire.send(
            self.head("GET", f"/{gateway}/plain/{name}?n={length}&framing={choice.choice(['length', 'chunked'])}")
        )
        self.look("download", gateway, name, await wire.answer(), length)
        wire.close()

    async def slow_reader(self, name, choice):
        """Takes an answer that is larger than all buffers on the way, at its leisure."""
        await self.soak.pace()
        gateway, length = choice.choice(["calm", "seller"]), 6 << 20
        wire = await self.wire(limit=1 << 14)
        await wire.send(self.head("GET", f"/{gateway}/plain/{name}?n={length}&framing=chunked"))
        self.look("slow reader", gateway, name, await wire.answer(pace=(1 << 16, choice.uniform(0.01, 0.06))), length)
        wire.close()

    async def slow_writer(self, name, choice):
        """Sends a request in small pieces; some never send all of it."""
        await self.soak.pace()
        gateway = choice.choice(["calm", "seller"])
        body = b"y" * 400
        data = self.post(f"/{gateway}/paid-plain/{name}", body)
        is_complete = choice.random() < 0.6
        end = len(data) if is_complete else choice.randrange(1, len(data))
        step, pause = choice.choice([(1, 0.01), (7, 0.1), (60, 0.7)])
        wire = await self.wire()
        for at in range(0, end, step):
            wire.writer.write(data[at : min(at + step, end)])
            await asyncio.sleep(pause)
        if not is_complete and choice.random() < 0.7:
            wire.reset() if choice.random() < 0.5 else wire.close()
            return self.soak.count("slow writer", "left")
        answer = await wire.answer("POST")
        if is_complete:
            self.look("slow writer", gateway, name, answer)
        else:
            # The gateway may have failed meanwhile, which is said as well.
            self.look_elsewhere("slow writer", gateway, name, answer, {"request-timeout"})
        wire.close()

    async def leaver(self, name, choice):
        """Goes away in the middle of something."""
        await self.soak.pace()
        gateway = self.somewhere(choice)
        route = choice.choice(["plain", "paid-plain", "events", "paid-events", "paid-events"])
        data = self.post(f"/{gateway}/{route}/{name}?n=200&ms=10", self.body(name, choice))
        wire = await self.wire()
        if choice.random() < 0.3:
            data = data[: choice.randrange(1, len(data))]
        await wire.send(data)
        if choice.random() < 0.5:
            await asyncio.sleep(choice.choice([0, 0.002, 0.01, 0.05, 0.3]))
        else:
            try:
                await asyncio.wait_for(wire.reader.read(choice.choice([1, 200, 3000])), choice.uniform(0.05, 2))
            except (TimeoutError, ConnectionError):
                pass
        if choice.random() < 0.5:
            wire.reset()
        else:
            wire.close()
        self.soak.count("leaver", "left")

    async def pipeline(self, name, choice):
        """Several requests at once; the answers come in their order."""
        await self.soak.pace()
        gateway = choice.choice(["calm", "calm", "seller"])
        names = [f"{name}-{turn}" for turn in range(choice.randint(2, 6))]
        routes = [choice.choice(["plain", "plain", "paid-plain"]) for _ in names]
        wire = await self.wire()
        await wire.send(
            b"".join(
                self.post(f"/{gateway}/{route}/{one}?framing=chunked", self.body(one, choice))
                for route, one in zip(routes, names, strict=True)
            )
        )
        for one in names:
            answer = await wire.answer("POST")
            self.look("pipeline", gateway, one, answer)
            if not answer.keeps:
                break
        wire.close()

    async def converse(self, kind, wire, choice, gateway):
        """Says things into a connection that gives back what it is told."""
        for turn in range(choice.randint(1, 6)):
            said = os.urandom(choice.choice([1, 100, 20_000]))
            try:
                await wire.send(said)
                heard = await wire.wait(wire.reader.readexactly(len(said)))
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                partial = getattr(error, "partial", b"")
                if self.soak.was_frozen() and said.startswith(partial):
                    return self.soak.count(kind, "ended by a freeze")
                if gateway == "calm" or not said.startswith(partial):
                    return self.soak.problem(kind, f"{len(partial)} bytes came back of {len(said)}")
                return self.soak.count(kind, "broken off")
            if heard != said:
                return self.soak.problem(kind, "other bytes came back")
            await asyncio.sleep(choice.choice([0, 0.01, 0.3]))
        self.soak.count(kind, "whole")

    async def switch(self, name, choice):
        """A WebSocket's handshake, and bytes behind it; some handshakes are paid."""
        await self.soak.pace()
        gateway = choice.choice(["calm", "seller", "vault"])
        route = choice.choice(["socket", "socket", "paid-socket"])
        wire = await self.wire()
        await wire.send(
            self.head("GET", f"/{gateway}/{route}/{name}", ["upgrade: websocket", "connection: upgrade"])
        )
        answer = await wire.answer()
        if answer.status == 101 and answer.fields.get("x-seller") == name:
            await self.converse("switch", wire, choice, gateway)
        else:
            self.look_elsewhere("switch", gateway, name, answer)
        wire.close()

    async def tunnel(self, name, choice):
        await self.soak.pace()
        is_calm = choice.random() < 0.4
        port = self.soak.echo_port if is_calm else self.soak.faults["echo"].port
        secret = base64.b64encode(f"agent:{self.soak.token}".encode()).decode()
        wire = await self.wire()
        await wire.send(
            self.head(
                "CONNECT", f"127.0.0.1:{port}", [f"proxy-authorization: Basic {secret}"], f"127.0.0.1:{port}", False
            )
        )
        answer = await wire.answer("HEAD")
        if answer.status == 200:
            await self.converse("tunnel", wire, choice, "calm" if is_calm else "echo")
        else:
            answer.whole = False
            is_expected = not is_calm or (answer.status == 403 and self.soak.was_frozen())
            self.soak.count("tunnel", "refused") if is_expected else self.soak.problem(
                "tunnel", f"{name}: {answer.status}"
            )
        wire.close()

    async def absolute(self, name, choice):
        """A gateway by its own address, as programs ask an HTTP_PROXY."""
        await self.soak.pace()
        gateway = choice.choice(["calm", "seller"])
        port = self.soak.calm_port if gateway == "calm" else self.soak.faults["seller"].port
        route = choice.choice(["plain", "paid-plain"])
        wire = await self.wire()
        await wire.send(
            self.post(
                f"http://127.0.0.1:{port}/{route}/{name}",
                self.body(name, choice),
                [f"proxy-authorization: Bearer {self.soak.token}"],
                host=f"127.0.0.1:{port}",
                token=False,
            )
        )
        self.look("absolute", gateway, name, await wire.answer("POST"))
        wire.close()

    async def inside_tls(self, name, choice):
        """HTTPS through the forward proxy, which ends the TLS and pays."""
        await self.soak.pace()
        kind, host = "inside TLS", f"localhost:{self.soak.faults['vault'].port}"
        wire = await self.wire()
        await wire.send(
            self.head("CONNECT", host, [f"proxy-authorization: Bearer {self.soak.token}"], host, token=False)
        )
        answer = await wire.answer("HEAD")
        if answer.status != 200:
            wire.close()
            if answer.status == 403 and self.soak.was_frozen():
                return self.soak.count(kind, "refused")
            return self.soak.problem(kind, f"{name}: {answer.status}")
        if choice.random() < 0.1:
            wire.writer.write(os.urandom(300) if choice.random() < 0.5 else b"\x16\x03\x01")
            await asyncio.sleep(0.05)
            wire.close()
            return self.soak.count(kind, "left")
        try:
            await wire.wait(wire.writer.start_tls(self.soak.authority, server_hostname="localhost"))
            for turn in range(choice.randint(1, 3)):
                one = f"{name}-{turn}"
                route = choice.choice(["plain", "paid-plain"])
                await wire.send(
                    self.post(f"/{route}/{one}?n=3000", self.body(one, choice), host=host, token=False)
                )
                answer = await wire.answer("POST")
                self.look(kind, "vault", one, answer, 3000)
                if not answer.keeps:
                    break
            if choice.random() < 0.3:
                wire.reset()
        except ssl.SSLError as error:
            # An answer that broke off ends without the close_notify that a whole one has.
            self.soak.count(kind, "broken off")
            self.soak.codes[f"TLS: {error.reason}"] += 1
        wire.close()

    async def unix_socket(self, name, choice):
        """A program of this machine, whom the kernel vouches for."""
        await self.soak.pace()
        gateway = choice.choice(["calm", "seller"])
        route = choice.choice(["plain", "paid-plain"])
        wire = await Wire.open(self.soak.daemon.socket, PATIENCE)
        await wire.send(self.post(f"/{gateway}/{route}/{name}", self.body(name, choice), host="purser", token=False))
        self.look("Unix socket", gateway, name, await wire.answer("POST"))
        wire.close()

    async def metered(self, name, choice):
        await self.soak.pace()
        wire = await self.wire()
        await wire.send(self.post(f"/metered/plain/{name}", self.body(name, choice)))
        self.look("metered", "metered", name, await wire.answer("POST"))
        wire.close()

    # Bad company.

    async def cheated(self, name, choice):
        """A merchant that misbehaves; the daemon's answer has to be one, whatever it is."""
        await self.soak.pace()
        case, method = choice.choice(self.soak.cases)
        wire = await self.wire()
        body = self.body(name, choice) if method in ("POST", "PUT") else b""
        await wire.send(self.post(f"/evil/evil/{case}", body) if body else self.head(method, f"/evil/evil/{case}"))
        answer = await wire.answer(method)
        wire.close()
        if is_problem(answer):
            code = json.loads(answer.body)["code"] if method != "HEAD" else "HEAD"
            if code in CHEATED - {"gateway-malformed", "redirect-refused"}:
                return self.soak.problem("cheated", f"{name}: {case}: {answer.body[:300]!r}")
            return self.soak.count("cheated", "refused")
        self.soak.count("cheated", "whole" if answer.whole else "broken off")

    GARBAGE = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00\x00\x00\x00\r\n\r\n",
        b"POST /calm/plain/x HTTP/1.1\r\nhost: H\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /calm/plain/x HTTP/1.1\r\nhost: H\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        b"GET /calm/plain/x HTTP/1.1\r\nhost: evil.example\r\nauthorization: Bearer T\r\n\r\n",
        b"GET /calm/plain/x HTTP/1.1\r\nhost: H\r\n\r\n",
        b"GET /calm/plain/x HTTP/1.1\r\nhost: H\r\nauthorization: Bearer psr_wrong\r\n\r\n",
        b"GET /nowhere/x HTTP/1.1\r\nhost: H\r\nauthorization: Bearer T\r\n\r\n",
        b"GET /calm/../x HTTP/1.1\r\nhost: H\r\nauthorization: Bearer T\r\n\r\n",
        b"GET /calm/plain/x HTTP/1.1\r\nhost: H\r\nbad header\r\n\r\n",
        b"POST /calm/plain/x HTTP/1.1\r\nhost: H\r\nauthorization: Bearer T\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /calm/plain/x HTTP/1.1\r\nhost: H\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nhost: 127.0.0.1:1\r\nproxy-authorization: Bearer T\r\n\r\n",
    ]

    async def garbage(self, name, choice):
        """What no agent should send."""
        await self.soak.pace()
        data = choice.choice(self.GARBAGE)
        data = data.replace(b"host: H", b"host: 127.0.0.1:%d" % self.soak.daemon.port)
        data = data.replace(b"Bearer T", b"Bearer " + self.soak.token.encode())
        wire = await self.wire()
        try:
            await wire.send(data)
            answer = await wire.answer("GET")
        except (Gone, ConnectionError):
            # More than the daemon reads was on its way.
            if len(data) < 1000:
                raise
            return self.soak.count("garbage", "lost")
        finally:
            wire.close()
        if is_problem(answer) and 400 <= answer.status < 510 and answer.status not in (500, 502, 503, 504):
            return self.soak.count("garbage", "refused")
        self.soak.problem("garbage", f"{name}: {data[:100]!r} was answered {answer.status} {answer.body[:200]!r}")
