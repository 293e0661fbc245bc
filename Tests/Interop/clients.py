"""Programs that know nothing of payments, through the reverse proxy and through HTTPS_PROXY with the local authority.

The OpenAI and Anthropic SDKs, httpx, requests, aiohttp, curl and Node stream from a seller behind TLS that charges by x402:
each run pays once, its pieces come as they are sent, and chain and books agree. A client that times out and repeats its request
gets the answer that it paid for, and what a call created keeps its place.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import openai
import requests
import urllib3
from certificates import certify
from checks import Checks, run_suite
from eth_account import Account
from facilitator import Facilitator
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from purser import Purser
from service import Service
from x402.http import FacilitatorConfig, HTTPFacilitatorClient
from x402.http.utils import (
    decode_payment_signature_header,
    encode_payment_required_header,
    encode_payment_response_header,
)
from x402.schemas import PaymentRequired, PaymentRequirements, ResourceInfo

from chain import NETWORK, TOKEN, TOKEN_NAME, TOKEN_VERSION, Node

SELLER = "0x90F8bf6A479f320ead074411a4B0e7944Ea8c9C1"
FUNDS = 5_000_000
CAPS = {"request": "0.10", "day": "5", "lifetime": "100"}
PRICES = {
    "/v1/chat/completions": 10_001,
    "/v1/messages": 20_003,
    "/v1/events": 30_007,
    "/v1/failing": 40_009,
    "/v1/late/chat/completions": 40_013,
    "/v1/realtime/calls": 50_021,
}
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
PROGRAMS = ["openai", "anthropic", "httpx", "httpx-strict", "requests", "aiohttp", "curl", "node"]
PIECES = ["Pieces ", "of ", "eight, ", "pieces ", "of ", "eight!"]
INTERVAL = 0.15
# How long a client waits, and how long the seller needs for an answer that it has taken the money for.
PATIENCE, LATENESS = 1.5, 4
# What a program takes for its own key, where the proxy is told about the agent by other means.
OWN_KEY = "sk-of-the-program-itself"
HERE = Path(__file__).parent


class Seller:
    """Two model APIs and a plain stream of events at `url`, each behind a challenge; `facilitator` judges payments."""

    def __init__(self, url, facilitator):
        self.url = url
        self.facilitator = HTTPFacilitatorClient(FacilitatorConfig(url=facilitator))
        self.requests = []
        self.sent = []
        # Payments that were settled and answered with a failure, with their reports.
        self.failed = {}
        self.failing_status = 500
        self.app = FastAPI()
        for path, method, stream in [
            ("/v1/chat/completions", "POST", self._completion),
            ("/v1/messages", "POST", self._message),
            ("/v1/events", "GET", self._events),
            ("/v1/failing", "POST", None),
        ]:
            self.app.add_api_route(path, self._selling(path, stream and self._streaming(stream)), methods=[method])
        for path, answer in [("/v1/late/chat/completions", self._late), ("/v1/realtime/calls", self._call)]:
            self.app.add_api_route(path, self._selling(path, answer), methods=["POST"])

    def _streaming(self, stream):
        async def answer(report):
            return StreamingResponse(self._paced(stream()), media_type="text/event-stream", headers=report)

        return answer

    async def _late(self, report):
        await asyncio.sleep(LATENESS)
        message = {"role": "assistant", "content": "".join(PIECES)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        completion = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        return JSONResponse(completion, headers=report)

    async def _call(self, report):
        place = {"location": "/elsewhere/v1/realtime/calls/rtc_1"}
        return Response("answer", 201, media_type="application/sdp", headers=report | place)

    def _selling(self, path, answer):
        async def sell(request: Request):
            self.requests.append((path, dict(request.headers)))
            requirements = PaymentRequirements(
                scheme="exact",
                network=NETWORK,
                asset=TOKEN,
                amount=str(PRICES[path]),
                pay_to=SELLER,
                max_timeout_seconds=120,
                extra={"name": TOKEN_NAME, "version": TOKEN_VERSION},
            )
            header = request.headers.get("payment-signature")
            if header in self.failed:
                return self._failure(self.failed[header])
            if header is None:
                return self._challenge(path, requirements, "Payment required")
            payload = decode_payment_signature_header(header)
            settled = await self.facilitator.settle(payload, requirements)
            if not settled.success:
                return self._challenge(path, requirements, settled.error_reason)
            report = {"PAYMENT-RESPONSE": encode_payment_response_header(settled)}
            if answer is None:
                self.failed[header] = report
                return self._failure(report)
            return await answer(report)

        return sell

    def _failure(self, report):
        return JSONResponse({"error": "out of order"}, self.failing_status, headers=report)

    def _challenge(self, path, requirements, error):
        resource = ResourceInfo(url=self.url + path, description="An answer", mime_type="text/event-stream")
        required = PaymentRequired(error=error, resource=resource, accepts=[requirements])
        return JSONResponse({}, 402, headers={"PAYMENT-REQUIRED": encode_payment_required_header(required)})

    async def _paced(self, stream):
        """Sends what is not a piece at once, and waits behind each piece."""
        times = []
        self.sent.append(times)
        for is_piece, event, data in stream:
            if is_piece:
                await asyncio.sleep(INTERVAL if times else 0)
                times.append(time.time())
            yield (f"event: {event}\n" if event else "") + f"data: {data if data == '[DONE]' else json.dumps(data)}\n\n"

    def _completion(self):
        for index, piece in enumerate(PIECES):
            last = index == len(PIECES) - 1
            choice = {"index": 0, "delta": {"content": piece}, "finish_reason": "stop" if last else None}
            chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
            yield True, None, chunk
        yield False, None, "[DONE]"

    def _message(self):
        usage = {"input_tokens": 3, "output_tokens": 1}
        message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": []}
        message |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
        plain = [("message_start", {"message": message})]
        plain += [("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}})]
        for kind, data in plain:
            yield False, kind, {"type": kind} | data
        for piece in PIECES:
            delta = {"index": 0, "delta": {"type": "text_delta", "text": piece}}
            yield True, "content_block_delta", {"type": "content_block_delta"} | delta
        ending = {"stop_reason": "end_turn", "stop_sequence": None}
        for kind, data in [
            ("content_block_stop", {"index": 0}),
            ("message_delta", {"delta": ending, "usage": usage}),
            ("message_stop", {}),
        ]:
            yield False, kind, {"type": kind} | data

    def _events(self):
        for piece in PIECES:
            yield True, None, {"piece": piece}


class Suite(Checks):
    """A seller behind TLS, the payer in front of it, and what was bought so far."""

    def __init__(self, binary, directory):
        super().__init__()
        self.directory = directory
        self.keys = {wallet: Account.create().key for wallet in ("main", "spare")}
        self.payers = [Account.from_key(key).address for key in self.keys.values()]
        self.node = Node()
        self.facilitator_service, self.seller_service = Service(), Service()
        self.facilitator = Facilitator(self.node.url)
        self.facilitator_service.start(self.facilitator.app)
        trusted, certificate, key = certify(directory)
        self.address = f"https://localhost:{self.seller_service.port}"
        self.seller = Seller(self.address, self.facilitator_service.url)
        self.seller_service.start(self.seller.app, ssl_certfile=str(certificate), ssl_keyfile=str(key))
        self.node.mint({address: FUNDS for address in self.payers})
        settings = [f"trust-file: {trusted}", f'forward: {{ terminate: ["localhost:{self.seller_service.port}"] }}']
        self.payer = Purser(binary, directory, self.address, self.keys, settings=settings)
        self.authority = directory / "authority.pem"
        self.spent = 0
        self.paid_calls = 0

    # Programs.

    def environment(self, is_tunnelled, trusts=True):
        """What a program finds: nothing of this process's own settings but where programs are."""
        token = self.payer.tokens["scout"]
        key = OWN_KEY if is_tunnelled else token
        names = ("PATH", "HOME", "LANG", "PYENV_ROOT", "PYENV_VERSION")
        found = {name: os.environ[name] for name in names if name in os.environ}
        found |= {"AGENT_KEY": key, "OPENAI_API_KEY": key, "ANTHROPIC_API_KEY": key, "PYTHONDONTWRITEBYTECODE": "1"}
        if is_tunnelled:
            found["HTTPS_PROXY"] = f"http://scout:{token}@127.0.0.1:{self.payer.port}"
        if is_tunnelled and trusts:
            for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
                found[name] = str(self.authority)
        return found

    def start(self, name, base, environment):
        """The program's pieces with the times at which they came; what it wrote of errors is a failure's words."""
        if name == "curl":
            return self.curl(base, environment)
        program = [sys.executable, str(HERE / "client_programs.py"), name]
        if name == "node":
            program = ["node", str(HERE / "client_program.mjs")]
        done = subprocess.run([*program, base], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{name} exited {done.returncode}: {done.stderr.strip()[-600:]}"
        return json.loads(done.stdout)

    def curl(self, base, environment):
        header = f"authorization: Bearer {environment['AGENT_KEY']}"
        command = ["curl", "-sS", "-N", "--fail", "-H", header, f"{base}/v1/events"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as program:
            data = ((time.time(), line) for line in program.stdout if line.startswith("data: "))
            came = [(at, json.loads(line.removeprefix("data: "))["piece"]) for at, line in data]
            words = program.stderr.read()
        assert program.returncode == 0, f"curl exited {program.returncode}: {words}"
        return came

    def streams(self, name, is_tunnelled):
        def check():
            path = PATHS.get(name, "/v1/events")
            known = {payment.id for payment in self.payer.payments()}
            before = len(self.seller.requests)
            self.paid_calls += 1
            self.spent += PRICES[path]
            base = self.address if is_tunnelled else self.payer.url
            came = self.start(name, base, self.environment(is_tunnelled))
            text = "".join(piece for _, piece in came)
            assert text == "".join(PIECES), f"it read {text!r}"
            first, last = came[0][0], self.seller.sent[-1][-1]
            assert first < last, f"the first piece came {first - last:.2f} s behind the sending of the last"
            seen = self.seller.requests[before:]
            assert [one for one, _ in seen] == [path, path], f"the seller saw {[one for one, _ in seen]}"
            self.look_at_keys(seen, is_tunnelled)
            self.look_at_books(known, PRICES[path])

        return check

    def look_at_keys(self, seen, is_tunnelled):
        for _, headers in seen:
            words = " ".join(headers.values())
            assert self.payer.tokens["scout"] not in words and "proxy-authorization" not in headers
            assert (OWN_KEY in words) == is_tunnelled, "the program's own key did not go where it should"

    def look_at_books(self, known, price):
        deadline = time.monotonic() + 10
        new = []
        while time.monotonic() < deadline and not (new and all(payment.settled for payment in new)):
            new = [payment for payment in self.payer.payments() if payment.id not in known]
            time.sleep(0.05)
        found = [(payment.state, payment.amount) for payment in new]
        assert len(new) == 1 and new[0].settled and new[0].amount == price, f"the books say {found}"

    def paid_once_by(self, status, repeat):
        """A client that repeats what failed: `repeat` gives the statuses that it saw."""

        def check():
            self.seller.failing_status = status
            known = {payment.id for payment in self.payer.payments()}
            before = len(self.seller.failed)
            self.paid_calls += 1
            self.spent += PRICES["/v1/failing"]
            headers = {"authorization": f"Bearer {self.payer.tokens['scout']}"}
            seen = repeat(f"{self.payer.url}/v1/failing?{status}-{repeat.__name__}", headers)
            assert len(seen) > 1 and seen[0] == status, f"it saw {seen}"
            assert set(seen[1:]) <= {status, 402}, f"it saw {seen}"
            new = [one for one in self.payer.payments() if one.id not in known and not one.refused]
            assert len(new) == 1 and new[0].settled, f"the books have {[(one.state, one.amount) for one in new]}"
            assert len(self.seller.failed) == before + 1, "the seller settled more than one payment"

        return check

    def buy(self, path, sent):
        """One call of `path` in the books, for which the seller saw `sent` payments."""
        self.paid_calls += 1
        self.spent += PRICES[path]
        known = {payment.id for payment in self.payer.payments()}
        before = len(self.seller.requests)

        def look():
            self.look_at_books(known, PRICES[path])
            paid = [headers for _, headers in self.seller.requests[before:] if "payment-signature" in headers]
            assert len(paid) == sent, f"the seller saw {len(paid)} payments"

        return look

    def client(self, base):
        return openai.OpenAI(base_url=f"{self.payer.url}{base}", api_key=self.payer.tokens["scout"])

    def impatient(self):
        look = self.buy("/v1/late/chat/completions", 1)
        client = self.client("/v1/late").with_options(timeout=PATIENCE, max_retries=4)
        answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Say it."}])
        assert answer.choices[0].message.content == "".join(PIECES)
        look()

    def created(self):
        look = self.buy("/v1/realtime/calls", 1)
        answer = self.client("/v1").realtime.calls.with_raw_response.create(sdp="offer")
        assert answer.status_code == 201 and answer.headers["location"].endswith("/elsewhere/v1/realtime/calls/rtc_1")
        look()

    # Checks of the whole.

    def authority_is_made(self):
        made = self.payer.json("ca", "init")
        assert made["sha256"] == self.payer.json("ca", "show")["sha256"]

    def authority_is_exported(self):
        text = self.payer.command("ca", "export")
        assert "PRIVATE" not in text
        self.authority.write_text(text)
        shown = subprocess.run(
            ["openssl", "x509", "-in", str(self.authority), "-noout", "-text"], check=True, capture_output=True, text=True
        ).stdout
        for words in ("CA:TRUE, pathlen:0", "Name Constraints: critical", "DNS:localhost"):
            assert words in shown, f"no {words} in the certificate"

    def untrusted(self):
        before = len(self.payer.payments()), len(self.seller.requests)
        # Also not by the authority of the seller, which the program would see if nobody stood between.
        for name, words in [("curl", "60"), ("httpx", "CERTIFICATE_VERIFY_FAILED"), ("node", "certificate")]:
            try:
                self.start(name, self.address, self.environment(True, trusts=False))
            except AssertionError as error:
                assert words in str(error), f"{name} failed otherwise: {error}"
            else:
                raise AssertionError(f"{name} believed an authority that it was not told to trust")
        assert (len(self.payer.payments()), len(self.seller.requests)) == before

    def books_and_chain_agree(self):
        left = sum(self.node.balance(address) for address in self.payers)
        assert 2 * FUNDS - left == self.spent == self.node.balance(SELLER), f"{2 * FUNDS - left} left the wallets"
        settled = [payment for payment in self.payer.payments() if payment.settled]
        assert sum(payment.amount for payment in settled) == self.spent and len(settled) == self.paid_calls
        nonces = {nonce for _, nonce in self.node.used_nonces()}
        assert nonces == {payment.nonce for payment in settled} and self.facilitator.refused == []
        self.payer.command("ledger", "verify")

    def no_secrets_are_logged(self):
        log = self.payer.log.read_text()
        key = (self.payer.state / "authority.pem").read_text().partition("PRIVATE KEY-----\n")[2].splitlines()[0]
        for secret in [*self.payer.secrets(), OWN_KEY, key]:
            assert secret not in log, "a secret is in the log"

    def run(self):
        print("Interop, clients: programs that know nothing of payments; x402 SDK settles; py-evm", flush=True)
        with self.check("an authority for the seller's host is made"):
            self.authority_is_made()
        with self.check("the payer starts"):
            self.payer.start({"scout": ("main", CAPS)})
        if self.failures:
            return
        with self.check("its certificate is exported, constrained, without the key"):
            self.authority_is_exported()
        for name in PROGRAMS:
            if name != "httpx-strict":
                with self.check(f"{name} through the reverse proxy: paid once, streamed"):
                    self.streams(name, False)()
            with self.check(f"{name} through HTTPS_PROXY: paid once, streamed"):
                self.streams(name, True)()
        for status in (500, 429):
            for repeat in (urllib3_retry, router_loop):
                with self.check(f"a settled {status} and {repeat.__name__}: paid once"):
                    self.paid_once_by(status, repeat)()
        steps = [
            ("an OpenAI client that times out gets the answer by its repetition, and pays once", self.impatient),
            ("what an OpenAI client's paid call created keeps its place", self.created),
            ("a program that does not trust the authority sends nothing, and nothing is paid", self.untrusted),
            ("chain and books agree to the unit and to the nonce", self.books_and_chain_agree),
            ("the daemon's log holds no token, no program's key and no authority's", self.no_secrets_are_logged),
        ]
        self.check_all(steps)

    def stop(self):
        for part in (self.payer, self.seller_service, self.facilitator_service, self.node):
            part.stop()


def urllib3_retry(url, headers):
    """urllib3's own three retries, half a second apart and longer, whatever Retry-After and x-should-retry say."""
    retries = urllib3.Retry(
        3, status_forcelist=[429, 500], allowed_methods=None, backoff_factor=0.6, raise_on_status=False,
        respect_retry_after_header=False,
    )
    answer = urllib3.PoolManager().request("POST", url, body=b"{}", headers=headers, retries=retries)
    return [one.status for one in answer.retries.history] + [answer.status]


def router_loop(url, headers):
    """What LiteLLM's Router and llama-index do: the call once more, twice, whatever the answer's fields say."""
    seen = []
    for _ in range(3):
        seen.append(requests.post(url, data="{}", headers=headers, timeout=30).status_code)
        if seen[-1] not in (429, 500):
            break
        time.sleep(0.3)
    return seen


if __name__ == "__main__":
    run_suite(Suite, "clients", __doc__)
