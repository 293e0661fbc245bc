"""Purser against software nobody here wrote: paid calls end to end, then chain, books and signatures compared.

Prints one line for each check and the balances, and exits 0 only if every check held.
"""

import argparse
import base64
import hashlib
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import to_checksum_address

from chain import CHAIN_ID, NETWORK, TOKEN, TOKEN_NAME, TOKEN_VERSION, Node
from checks import Checks, conclude
from facilitator import V1_NETWORK, Facilitator
from gateway import EVENT_INTERVAL, EVENTS, PAYMENT_HEADERS, PRICES, SELLER, TIMEOUT, Gateway
from service import Service

# The separator that the true token on Arbitrum One reports.
TRUE_SEPARATOR = "566af68fb471b22d6421762f84aa7bd761c670a2e4d5c8a47d4085d5957b127c"
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0

FUNDS = 5_000_000
CAPS = {"request": "0.10", "day": "5", "lifetime": "100"}
# Agent: the wallet that pays for it, and its caps.
AGENTS = {"scout": ("main", CAPS), "clerk": ("spare", CAPS), "idler": ("main", {})}
PARALLEL = 10

AUTHORIZATION = [
    {"name": "from", "type": "address"},
    {"name": "to", "type": "address"},
    {"name": "value", "type": "uint256"},
    {"name": "validAfter", "type": "uint256"},
    {"name": "validBefore", "type": "uint256"},
    {"name": "nonce", "type": "bytes32"},
]
DOMAIN_TYPE = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]


class Suite(Checks):
    """The services, the payer and what was bought so far."""

    def __init__(self, make_payer):
        super().__init__()
        self.bought = []
        self.ids = []
        # Keys made here and now, by eth-account: nothing about them can be known to the payer beforehand.
        self.keys = {wallet: Account.create().key for wallet in ("main", "spare")}
        self.payers = {wallet: Account.from_key(key).address for wallet, key in self.keys.items()}
        self.node = Node()
        self.facilitator = Facilitator(self.node.url)
        self.facilitator_service, self.gateway_service = Service(), Service()
        self.facilitator_service.start(self.facilitator.app)
        self.gateway = Gateway(self.gateway_service.url, self.facilitator_service.url)
        self.gateway_service.start(self.gateway.app)
        self.node.mint({address: FUNDS for address in self.payers.values()})
        self.before = self.balances()
        self.payer = make_payer(self.gateway.url, self.keys)
        self.client = httpx.Client(timeout=60, limits=httpx.Limits(max_connections=None))

    @property
    def paid_calls(self):
        return len(self.bought)

    def balances(self):
        return {address: self.node.balance(address) for address in [*self.payers.values(), SELLER]}

    def request(self, agent, method, path, **options):
        options["headers"] = self.payer.headers(agent) | options.get("headers", {})
        return self.client.request(method, self.payer.url + path, **options)

    def buy(self, agent, method, path, **options):
        """A paid call; the answer, after a look at its status. The purchase counts from the moment it is tried."""
        self.bought.append((agent, path))
        answer = self.request(agent, method, path, **options)
        assert answer.status_code == 200, f"{method} {path} answered {answer.status_code}: {answer.text[:500]}"
        self.look_at_headers(answer)
        return answer

    def look_at_headers(self, answer):
        if self.payer.keeps_caps:
            assert answer.headers.get("purser-payment"), "no Purser-Payment header on a paid answer"
            self.ids.append(answer.headers["purser-payment"])
            assert answer.headers.get("purser-paid"), "no Purser-Paid header on a paid answer"

    # The world the payer is put into.

    def the_chain_is_what_it_poses_as(self):
        functions = self.node.token.functions
        assert self.node.web3.eth.chain_id == CHAIN_ID
        assert functions.name().call() == TOKEN_NAME and functions.version().call() == TOKEN_VERSION
        assert functions.decimals().call() == 6
        assert functions.DOMAIN_SEPARATOR().call().hex() == TRUE_SEPARATOR

    # Calls.

    def free_route(self):
        answer = self.request("scout", "GET", "/free")
        assert answer.status_code == 200 and answer.json() == {"free": True}, answer.text[:500]
        assert "purser-paid" not in answer.headers, "a free answer says it was paid"

    def paid_get(self):
        assert self.buy("scout", "GET", "/weather").json()["weather"] == "sunny"

    def paid_post(self):
        body = os.urandom(5 << 20)
        self.compare_digest(self.buy("clerk", "POST", "/digest", content=body).json(), body)

    def paid_chunked_post(self):
        body = os.urandom(300_000)
        pieces = (body[start : start + 9_999] for start in range(0, len(body), 9_999))
        self.compare_digest(self.buy("scout", "POST", "/digest", content=pieces).json(), body)

    def compare_digest(self, answer, body):
        assert answer == {"length": len(body), "sha256": hashlib.sha256(body).hexdigest()}, f"other bytes: {answer}"

    def stream(self, agent, path):
        """[(seconds since the first event, seconds from the server's sending to here)] of a paid event stream."""
        self.bought.append((agent, path))
        times = []
        with self.client.stream("GET", self.payer.url + path, headers=self.payer.headers(agent)) as answer:
            if answer.status_code != 200:
                answer.read()
                raise AssertionError(f"{path} answered {answer.status_code}: {answer.text[:500]}")
            self.look_at_headers(answer)
            for line in answer.iter_lines():
                if line.startswith("data: {"):
                    now, event = time.time(), json.loads(line.removeprefix("data: "))
                    assert event["index"] == len(times), "events out of order"
                    times.append((now, now - event["sent"]))
                elif line:
                    assert line == "data: [DONE]", f"unexpected line {line}"
        assert len(times) == EVENTS, f"{len(times)} of {EVENTS} events"
        return [(now - times[0][0], late) for now, late in times]

    def buffered_stream(self):
        self.stream("clerk", "/stream")

    def live_stream(self):
        times = self.stream("scout", "/live")
        whole = EVENT_INTERVAL * (EVENTS - 1)
        assert times[-1][0] > whole * 0.7, f"first to last event took {times[-1][0]:.2f} s, sent over {whole:.2f} s"
        worst = max(late for _, late in times)
        assert worst < EVENT_INTERVAL, f"an event arrived {worst:.2f} s after it was sent"

    def version_1(self):
        answer = self.buy("clerk", "POST", "/v1/report", content=b"quarterly")
        assert answer.json() == {"report": "quarterly"}, answer.text[:500]

    def two_agents_at_once(self):
        agents = ["scout", "clerk"] * PARALLEL
        with ThreadPoolExecutor(len(agents)) as pool:
            for answer in pool.map(lambda agent: self.buy(agent, "GET", "/weather"), agents):
                assert answer.json()["weather"] == "sunny"

    def refusal(self, agent, path):
        """A priced call that must not be paid: the problem document, after a look that nothing was signed."""
        paid, balances = len(self.gateway.paid()), self.balances()
        answer = self.request(agent, "GET", path)
        assert answer.status_code == 402, f"{path} answered {answer.status_code}: {answer.text[:500]}"
        kind = answer.headers.get("content-type", "")
        assert kind.startswith("application/problem+json"), f"content type {kind}"
        assert "payment-required" in answer.headers, "the challenge did not go with the refusal"
        assert len(self.gateway.paid()) == paid, "a payment header reached the gateway"
        assert self.balances() == balances, "the balances changed"
        problem = answer.json()
        code = problem.get("code")
        assert isinstance(code, str) and code, f"no code in {problem}"
        return answer.status_code, problem

    def above_the_cap(self):
        status, problem = self.refusal("scout", "/expensive")
        assert status == 402, f"{status} {problem}"

    def without_a_cap(self):
        self.refusal("idler", "/weather")

    def without_a_token(self):
        before = len(self.gateway.requests)
        headers = {"authorization": "Bearer psr_not-a-token"}
        answer = self.client.get(self.payer.url + "/free", headers=headers)
        assert answer.status_code in (401, 403), f"answered {answer.status_code}"
        assert len(self.gateway.requests) == before, "the request reached the gateway"

    # What is left behind.

    def signatures(self):
        """Every payment as it reached the gateway, judged by eth-account."""
        nonces = set()
        keys = {Account.from_key(key).address: key for key in self.keys.values()}
        paid = self.gateway.paid()
        assert len(paid) == len(self.bought), f"{len(paid)} payments arrived for {len(self.bought)} purchases"
        for request in paid:
            signed, signature = self.read_payment(request)
            key = keys.get(signed["from"])
            assert key is not None, f"from is {signed['from']}, not a wallet in EIP-55 form"
            typed = typed_data(signed)
            recovered = Account.recover_message(encode_typed_data(full_message=typed), signature=signature)
            assert recovered == signed["from"], f"signed by {recovered}"
            again = bytes(Account.sign_typed_data(key, full_message=typed).signature)
            assert again == signature, f"eth-account signs {again.hex()}, not {signature.hex()}"
            assert signature[64] in (27, 28) and int.from_bytes(signature[32:64], "big") <= HALF_ORDER
            nonces.add(signed["nonce"])
        assert len(nonces) == len(paid), "a nonce was used twice"

    def read_payment(self, request):
        """The authorization and the signature bytes of a recorded request, after a strict look at the envelope."""
        path, headers = request["path"], request["headers"]
        values = [value for name in PAYMENT_HEADERS for value in headers.get(name, [])]
        assert len(values) == 1, f"{path}: {len(values)} payment headers"
        text = base64.b64decode(values[0], validate=True).decode("utf-8")
        envelope = json.loads(text, object_pairs_hook=unique_members)
        assert not has_null(envelope), f"{path}: a null in {text}"
        if "payment-signature" in headers:
            challenge = json.loads(base64.b64decode(self.gateway.challenges[path]))
            assert envelope["x402Version"] == 2
            assert envelope["accepted"] in challenge["accepts"], f"{path}: accepted is not what was offered: {text}"
            assert envelope.get("resource", challenge["resource"]) == challenge["resource"], f"{path}: resource changed"
        else:
            head = {name: envelope[name] for name in ("x402Version", "scheme", "network")}
            assert head == {"x402Version": 1, "scheme": "exact", "network": V1_NETWORK}, f"{path}: {head}"
        signed = envelope["payload"]["authorization"]
        assert all(isinstance(value, str) for value in signed.values()), f"{path}: {signed}"
        assert to_checksum_address(signed["to"]) == SELLER and int(signed["value"]) == PRICES[path], f"{path}: {signed}"
        assert int(signed["validAfter"]) < request["time"] < int(signed["validBefore"]) <= request["time"] + TIMEOUT + 1
        signature = bytes.fromhex(envelope["payload"]["signature"].removeprefix("0x"))
        assert len(signature) == 65 and len(signed["nonce"]) == 66
        return signed, signature

    def credentials_stay_inside(self):
        words = self.payer.secrets()
        for request in self.gateway.requests:
            for name, values in request["headers"].items():
                assert name == "purser-via" or not name.startswith("purser-"), f"{name} reached the gateway"
                assert not any(word in value for word in words for value in values), f"a secret reached it in {name}"

    def logs_hold_no_secrets(self):
        log = self.payer.log.read_text(errors="replace").lower()
        secrets = self.payer.secrets() + [key.hex().removeprefix("0x") for key in self.keys.values()]
        for request in self.gateway.paid():
            secrets += [value for name in PAYMENT_HEADERS for value in request["headers"].get(name, [])]
            secrets.append(self.read_payment(request)[1].hex())
        assert not any(secret.lower() in log for secret in secrets), "the daemon's log holds a secret"

    def facilitator_had_no_objection(self):
        assert not self.facilitator.refused, "; ".join(self.facilitator.refused)
        assert len(self.facilitator.settled) == len(self.bought), f"{len(self.facilitator.settled)} settlements"
        assert all(self.node.succeeded(transaction) for transaction in set(self.facilitator.settled))

    def books_and_chain_agree(self):
        settled = [payment for payment in self.payer.payments() if not payment.refused]
        odd = [payment for payment in settled if not payment.settled]
        assert not odd, f"payments that are not settled: {odd}"
        for payment in settled:
            asset = payment.asset.lower()
            assert payment.network == NETWORK and TOKEN.lower() in asset, f"{payment}"
            assert payment.pay_to.lower() == SELLER.lower(), f"{payment}"
        booked = sorted((self.payers[AGENTS[payment.agent][0]], payment.nonce) for payment in settled)
        assert booked == sorted(self.node.used_nonces()), "the nonces in the books are not those used on the chain"
        assert all(self.node.used_nonce(address, nonce) for address, nonce in booked)
        for agent in AGENTS:
            wanted = sorted(PRICES[path] for who, path in self.bought if who == agent)
            amounts = sorted(payment.amount for payment in settled if payment.agent == agent)
            assert amounts == wanted, f"{agent}: booked {amounts}, bought for {wanted}"
        if self.payer.keeps_caps:
            named = sorted(payment.id for payment in settled)
            assert named == sorted(self.ids), "the payments named in answers are not those in the books"
        after = self.balances()
        for wallet, address in self.payers.items():
            spent = self.before[address] - after[address]
            assert spent == self.booked(settled, wallet), f"{wallet}: {spent} left the wallet"
        earned = after[SELLER] - self.before[SELLER]
        assert earned == sum(PRICES[path] for _, path in self.bought), f"the seller got {earned}"

    def booked(self, payments, wallet):
        return sum(payment.amount for payment in payments if payment.settled and AGENTS[payment.agent][0] == wallet)

    def keystore_opens_elsewhere(self):
        keystore, passphrase = self.payer.create_wallet("fresh")
        key = Account.decrypt(keystore, passphrase)
        wanted = to_checksum_address("0x" + keystore["address"].removeprefix("0x"))
        assert Account.from_key(key).address == wanted, "the key is not the one of the file's address"

    def books_outlive_the_daemon(self):
        before = self.payer.payments()
        self.payer.stop()
        assert self.payer.payments() == before, "the books read otherwise without the daemon"

    def print_balances(self):
        payments = self.payer.payments()
        after = self.balances()
        print(f"\n  {'USDT on the chain':<34}{'before':>12}{'after':>12}{'change':>12}{'in the books':>14}")
        rows = [(f"wallet {name}", address, -self.booked(payments, name)) for name, address in self.payers.items()]
        rows.append(("seller", SELLER, sum(payment.amount for payment in payments if payment.settled)))
        for title, address, booked in rows:
            change = after[address] - self.before[address]
            name = f"{title} {address[:8]}…{address[-4:]}"
            figures = f"{usdt(self.before[address]):>12}{usdt(after[address]):>12}{usdt(change, '+'):>12}"
            print(f"  {name:<34}{figures}{usdt(booked, '+'):>14}{'' if change == booked else '  DIFFERENT'}")
        count = len(self.node.used_nonces())
        settled = sum(payment.settled for payment in payments)
        print(f"  {count} authorizations used on the chain, {settled} payments settled in the books\n", flush=True)

    def run(self):
        print(f"Interop: {self.payer.name} pays; x402 SDK resource server and facilitator; py-evm settles", flush=True)
        with self.check("the payer starts, with wallets made by eth-account (scrypt and PBKDF2)"):
            self.payer.start(AGENTS)
        if self.failures:
            return
        calls = [
            ("the chain has Arbitrum's id and the true token's EIP-712 domain", self.the_chain_is_what_it_poses_as),
            ("free GET: passed through, nothing paid", self.free_route),
            ("paid GET, v2, official middleware", self.paid_get),
            ("paid POST of 5 MiB, v2, official middleware", self.paid_post),
            ("paid POST in chunks, v2, official middleware", self.paid_chunked_post),
            ("paid event stream, v2, held back by the official middleware", self.buffered_stream),
            ("paid event stream, v2, live: no event is held", self.live_stream),
            ("paid POST, v1", self.version_1),
            (f"two agents at once, {PARALLEL} paid GETs each", self.two_agents_at_once),
        ]
        caps = [
            ("a price above the cap: refused, nothing signed", self.above_the_cap),
            ("an agent without a cap: refused, nothing signed", self.without_a_cap),
            ("a wrong token: refused before the gateway", self.without_a_token),
        ]
        afterwards = [
            ("eth-account recovers every signer and signs the same bytes", self.signatures),
            ("the official facilitator had no objection", self.facilitator_had_no_objection),
            ("chain and books agree to the unit and to the nonce", self.books_and_chain_agree),
        ]
        inside = [
            ("tokens and Purser's headers stay on this side", self.credentials_stay_inside),
            ("a keystore made by purser opens in eth-account", self.keystore_opens_elsewhere),
            ("the books read the same without the daemon", self.books_outlive_the_daemon),
            ("the daemon's log holds no secret", self.logs_hold_no_secrets),
        ]
        own = self.payer.keeps_caps
        for title, step in calls + (caps if own else []) + afterwards + (inside if own else []):
            with self.check(title):
                step()
        with self.check("balances"):
            self.print_balances()

    def stop(self):
        self.client.close()
        for part in (self.payer, self.gateway_service, self.facilitator_service, self.node):
            part.stop()


def typed_data(signed):
    numbers = {name: int(signed[name]) for name in ("value", "validAfter", "validBefore")}
    return {
        "types": {"EIP712Domain": DOMAIN_TYPE, "TransferWithAuthorization": AUTHORIZATION},
        "primaryType": "TransferWithAuthorization",
        "domain": {
            "name": TOKEN_NAME,
            "version": TOKEN_VERSION,
            "chainId": CHAIN_ID,
            "verifyingContract": TOKEN,
        },
        "message": signed | numbers,
    }


def unique_members(pairs):
    assert len(pairs) == len(dict(pairs)), f"a member twice in {pairs}"
    return dict(pairs)


def has_null(value):
    if isinstance(value, dict):
        return any(has_null(member) for member in value.values())
    if isinstance(value, list):
        return any(has_null(member) for member in value)
    return value is None


def usdt(amount, sign=""):
    return f"{amount / 1_000_000:{sign}.6f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--purser", metavar="PATH", help="the binary under test")
    who.add_argument("--payer", choices=["official"], help="the SDK's own client instead, to check the suite itself")
    options = parser.parse_args()

    start = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="purser-interop-"))
    if options.purser:
        from purser import Purser

        def make_payer(*arguments):
            return Purser(options.purser, directory, *arguments)
    else:
        from official import Official as make_payer

    suite = Suite(make_payer)
    return conclude(suite, "INTEROP", directory, start)


if __name__ == "__main__":
    sys.exit(main())
