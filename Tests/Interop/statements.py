"""What is signed besides payments: the seller's offers and receipts, and the buyer's signing in.

The official SDK sells, with its own sign-in-with-x. Its Python has no offer-receipt, so an extension of its server signs with
eth-account (EIP-712) and pycryptodome (JWS by a did:key): software nobody here wrote. Offers and receipts decide nothing;
right ones are verified and kept, wrong ones are told to the operator, and each purchase goes on as it would without.
"""

import base64
import json
import sqlite3
import time

import httpx
from checks import Checks, run_suite
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from eth_account import Account
from facilitator import Facilitator
from fastapi import FastAPI
from purser import Purser
from service import Service
from x402 import x402ResourceServer
from x402.extensions.sign_in_with_x import (
    CreateSIWxResourceServerExtensionOptions,
    InMemorySIWxStorage,
    create_siwx_resource_server_extension,
    declare_siwx_extension,
)
from x402.http import FacilitatorConfig, HTTPFacilitatorClient
from x402.http.middleware.fastapi import payment_middleware
from x402.http.types import PaymentOption, RouteConfig
from x402.mechanisms.evm.exact import register_exact_evm_server

import chain
from chain import NETWORK, TOKEN, TOKEN_NAME, TOKEN_VERSION

FUNDS = 5_000_000
PRICE = 10_000
CAPS = {"request": "0.10", "day": "5", "lifetime": "100"}
OFFER_RECEIPT = "offer-receipt"
# Which way a route's offer and receipt are signed, and what is wrong with them.
ROUTES = {
    "/typed": ("eip712", None),
    "/jws": ("jws", None),
    "/web": ("web", None),
    "/web/forged": ("web", "forged"),
    "/typed/amount": ("eip712", "amount"),
    "/jws/tampered": ("jws", "tampered"),
    "/typed/stranger": ("eip712", "stranger"),
    "/jws/stranger": ("jws", "stranger"),
    "/typed/expired": ("eip712", "expired"),
    "/memo": (None, None),
}
WEB = "did:web:seller.example"
# Multicodec's name for an Ed25519 key in a did:key.
ED25519 = b"\xed\x01"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

TYPES = {
    "Offer": "version:uint256 resourceUrl:string scheme:string network:string asset:string payTo:string amount:string "
    "validUntil:uint256",
    "Receipt": "version:uint256 network:string resourceUrl:string payer:string issuedAt:uint256 transaction:string",
}


def name(path):
    """The gateway from which a wrong statement comes."""
    return path.strip("/").replace("/", "-")


def base58(data):
    """The text of bytes that begin with no zero."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return text


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Signer:
    """A seller's two keys: an account for EIP-712, and an Ed25519 key that is its own did:key."""

    def __init__(self):
        self.account = Account.create()
        self.key = ECC.generate(curve="ed25519")
        name = "z" + base58(ED25519 + self.key.public_key().export_key(format="raw"))
        self.did = f"did:key:{name}"
        self.kid = f"{self.did}#{name}"

    def typed(self, kind, payload):
        fields = [dict(zip(("name", "type"), field.split(":"), strict=True)) for field in TYPES[kind].split()]
        names = [{"name": "name", "type": "string"}, {"name": "version", "type": "string"}]
        message = {"validUntil": 0, "transaction": ""} | payload
        signed = self.account.sign_typed_data(
            full_message={
                "types": {"EIP712Domain": [*names, {"name": "chainId", "type": "uint256"}], kind: fields},
                "primaryType": kind,
                "domain": {"name": f"x402 {kind.lower()}", "version": "1", "chainId": 1},
                "message": {field["name"]: message[field["name"]] for field in fields},
            }
        )
        return {"format": "eip712", "payload": payload, "signature": "0x" + signed.signature.hex().removeprefix("0x")}

    def document(self):
        """The document of the did:web under which the same key signs, as a web server would publish it."""
        method = {"id": f"{WEB}#key-1", "type": "Multikey", "controller": WEB}
        method["publicKeyMultibase"] = self.did.removeprefix("did:key:")
        return {"id": WEB, "verificationMethod": [method], "assertionMethod": [method["id"]]}

    def jws(self, payload, kid=None):
        header = json.dumps({"alg": "EdDSA", "kid": kid or self.kid}, separators=(",", ":"))
        body = json.dumps(payload, separators=(",", ":"), sort_keys=True)
        text = f"{base64url(header.encode())}.{base64url(body.encode())}"
        signature = eddsa.new(self.key, "rfc8032").sign(text.encode())
        return {"format": "jws", "signature": f"{text}.{base64url(signature)}"}


class OfferReceipt:
    """A server extension of the SDK that signs an offer for each challenge and a receipt for each settlement."""

    key = OFFER_RECEIPT
    hooks = None
    transport_hooks = None
    dynamic_info_fields = ["offers"]

    def __init__(self, url, seller, stranger):
        self.url, self.seller, self.stranger = url, seller, stranger
        self.receipts = []

    def enrich_declaration(self, declaration, transport_context):
        return declaration

    def _sign(self, kind, payload, route):
        form, fault = ROUTES[route]
        signer = self.stranger if fault == "stranger" else self.seller
        if form == "eip712":
            return signer.typed(kind, payload)
        statement = signer.jws(payload, f"{WEB}#key-1" if form == "web" else None)
        if fault == "forged":
            text = statement["signature"].rpartition(".")[0]
            statement["signature"] = f"{text}.{base64url(bytes(64))}"
        if fault == "tampered":
            head, body, signature = statement["signature"].split(".")
            other = json.dumps(payload | {"version": 1, "issuedAt": int(time.time()) + 1}, sort_keys=True)
            statement["signature"] = f"{head}.{base64url(other.encode())}.{signature}"
        return statement

    def enrich_payment_required_response(self, declaration, context):
        route = declaration["route"]
        requirement = context.requirements[0]
        fault = ROUTES[route][1]
        payload = {
            "version": 1,
            "resourceUrl": self.url + route,
            "scheme": requirement.scheme,
            "network": requirement.network,
            "asset": requirement.asset,
            "payTo": requirement.pay_to,
            "amount": "9999" if fault == "amount" else requirement.amount,
            "validUntil": int(time.time()) + (-60 if fault == "expired" else 300),
        }
        return {"info": {"offers": [self._sign("Offer", payload, route)]}}

    def enrich_settlement_response(self, declaration, context):
        route = declaration["route"]
        payload = {
            "version": 1,
            "network": context.result.network,
            "resourceUrl": self.url + route,
            "payer": context.result.payer,
            "issuedAt": int(time.time()),
            "transaction": context.result.transaction,
        }
        receipt = self._sign("Receipt", payload, route)
        self.receipts.append(receipt)
        return {"info": {"receipt": receipt}}


class Seller:
    """The SDK's server with both extensions; keeps who signed in and what the SDK said of it."""

    def __init__(self, url, facilitator, signer, stranger, origin=None):
        self.url = url
        self.events, self.signed_in, self.paid = [], [], []
        app = FastAPI()
        server = x402ResourceServer(HTTPFacilitatorClient(FacilitatorConfig(url=facilitator)))
        register_exact_evm_server(server, NETWORK)
        self.statements = OfferReceipt(url, signer, stranger)
        server.register_extension(self.statements)
        storage = InMemorySIWxStorage()
        options = CreateSIWxResourceServerExtensionOptions(
            storage=storage, origin=origin or url, on_event=self.events.append
        )
        server.register_extension(create_siwx_resource_server_extension(options))
        self.pay_to = signer.account.address
        app.middleware("http")(payment_middleware({f"GET {path}": self._route(path) for path in ROUTES}, server))
        app.middleware("http")(self._recording)
        for path in ROUTES:
            app.get(path)(self._sold)
        self.app = app

    def _route(self, path):
        extra = {"name": TOKEN_NAME, "version": TOKEN_VERSION}
        price = {"amount": str(PRICE), "asset": TOKEN, "extra": extra}
        option = PaymentOption(
            scheme="exact", pay_to=self.pay_to, price=price, network=NETWORK, max_timeout_seconds=60
        )
        extensions = {OFFER_RECEIPT: {"route": path}} if ROUTES[path][0] else declare_siwx_extension()
        return RouteConfig(accepts=option, mime_type="application/json", extensions=extensions)

    async def _recording(self, request, call_next):
        self.signed_in += [(request.url.path, v) for k, v in request.headers.items() if k == "sign-in-with-x"]
        self.paid += [request.url.path for k in request.headers if k == "payment-signature"]
        return await call_next(request)

    async def _sold(self):
        return {"sold": True}


class Suite(Checks):
    """The services, the payer and what was bought so far."""

    def __init__(self, binary, directory):
        super().__init__()
        self.keys = {wallet: Account.create().key for wallet in ("main", "other")}
        self.payers = {wallet: Account.from_key(key).address for wallet, key in self.keys.items()}
        self.node = chain.Node()
        self.signer, self.stranger = Signer(), Signer()
        self.facilitator_service, self.seller_service, self.phisher_service = Service(), Service(), Service()
        self.facilitator = Facilitator(self.node.url)
        self.facilitator_service.start(self.facilitator.app)
        self.seller = Seller(self.seller_service.url, self.facilitator_service.url, self.signer, self.stranger)
        self.seller_service.start(self.seller.app)
        # Its statements would sign in at another host, as the SDK of that host would take them.
        self.phisher = Seller(
            self.phisher_service.url, self.facilitator_service.url, self.signer, self.stranger, "https://bank.example"
        )
        self.phisher_service.start(self.phisher.app)
        self.node.mint({address: FUNDS for address in self.payers.values()})
        document = f'{{ did: "{WEB}", document: seller.json }}'
        more = f'sign-in: true, signers: ["{self.signer.did}", {document}]'
        # Notices of one kind about one gateway are an hour apart, so each wrong statement comes from a gateway of its own.
        gateways = {name(path): self.seller.url for path, (_, fault) in ROUTES.items() if fault}
        gateways["elsewhere"] = self.phisher.url
        self.payer = Purser(binary, directory, self.seller.url, self.keys, more=more, gateways=gateways)
        copy = self.payer.state / "seller.json"
        copy.write_text(json.dumps(self.signer.document()))
        copy.chmod(0o600)
        self.base = self.payer.url.removesuffix("/sdk")
        self.client = httpx.Client(timeout=60)
        self.paid_calls = 0

    def get(self, path, agent="scout", gateway="sdk"):
        answer = self.client.get(f"{self.base}/{gateway}{path}", headers=self.payer.headers(agent))
        assert answer.status_code == 200 and answer.json() == {"sold": True}, f"{path}: {answer.text[:500]}"
        return answer

    def buy(self, path, agent="scout", gateway="sdk"):
        answer = self.get(path, agent, gateway)
        assert "purser-payment" in answer.headers, f"{path} was not paid"
        self.paid_calls += 1
        return answer.headers["purser-payment"]

    def reads(self, path, agent="scout"):
        """A call that costs nothing."""
        answer = self.get(path, agent)
        assert "purser-payment" not in answer.headers, f"{path} was paid again"

    def log(self, payment):
        """The daemon's lines about a payment, once its outcome is booked."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            lines = [line for line in self.payer.log.read_text().splitlines() if payment in line]
            if any("outcome booked" in line for line in lines) and any("receipt" in line for line in lines):
                return "\n".join(lines)
            time.sleep(0.02)
        raise AssertionError(f"nothing was logged of the receipt of {payment}:\n{self.payer.log_tail()}")

    def kept(self, payment):
        """The offer and the settlement report that the books hold."""
        with sqlite3.connect(f"file:{self.payer.state / 'ledger.sqlite'}?mode=ro", uri=True) as books:
            query = (
                "SELECT offer, (SELECT settlement FROM evidence WHERE evidence.payment = payments.number AND settlement "
                "IS NOT NULL) FROM payments WHERE id = ?"
            )
            columns = [row[1] for row in books.execute("PRAGMA table_info(payments)")]
            kind = books.execute("SELECT typeof(id) FROM payments LIMIT 1").fetchone()[0]
            key = payment if kind == "text" else bytes.fromhex(payment.removeprefix("pay_"))
            assert "offer" in columns
            offer, settlement = books.execute(query, (key,)).fetchone()
        return offer and bytes(offer).decode(), settlement and bytes(settlement).decode()

    # Checks.

    def verified(self, path):
        def check():
            payment = self.buy(path)
            lines = self.log(payment)
            assert "offer" not in lines or "doubtful" not in lines, lines
            assert "receipt verified" in lines, lines
            offer, settlement = self.kept(payment)
            form = ROUTES[path][0]
            assert offer and json.loads(offer)["format"] == {"web": "jws"}.get(form, form), f"offer kept: {offer}"
            receipt = json.loads(settlement)["extensions"][OFFER_RECEIPT]["info"]["receipt"]
            assert receipt == self.seller.statements.receipts[-1], "the receipt in the books is not the seller's"

        return check

    def doubtful(self, path, offer_words, receipt_words):
        def check():
            payment = self.buy(path, gateway=name(path))
            lines = self.log(payment) + self.payer.command("ledger", "events")
            for words in (offer_words, receipt_words):
                assert words in lines, f"`{words}` was not told:\n{lines}"

        return check

    def signing_in(self):
        self.buy("/memo")
        assert self.seller.signed_in == []
        self.reads("/memo")
        self.reads("/memo")
        granted = [event for event in self.seller.events if event["type"] == "access_granted"]
        assert len(granted) == 2 and {event["address"] for event in granted} == {self.payers["main"]}
        assert not [event for event in self.seller.events if event["type"] == "validation_failed"], self.seller.events

    def another_agent_pays(self):
        before = len(self.seller.signed_in)
        self.buy("/memo", "other")
        assert len(self.seller.signed_in) == before, "a wallet signed in for an agent that had bought nothing"

    def another_host(self):
        self.buy("/memo", gateway="elsewhere")
        self.buy("/memo", gateway="elsewhere")
        assert self.phisher.signed_in == []
        assert "no sign-in" in self.payer.log.read_text()

    def statements_are_fresh(self):
        nonces = [json.loads(base64.b64decode(value))["nonce"] for _, value in self.seller.signed_in]
        assert len(nonces) == len(set(nonces)) == 2
        assert not any(value in self.payer.log.read_text() for _, value in self.seller.signed_in)

    def books_and_chain_agree(self):
        assert len(self.seller.paid) + len(self.phisher.paid) == self.paid_calls and self.facilitator.refused == []
        left = sum(self.node.balance(address) for address in self.payers.values())
        assert 2 * FUNDS - left == self.paid_calls * PRICE == self.node.balance(self.seller.pay_to)
        rows = [row for row in self.payer.json("payment", "list") if row["state"] == "settled"]
        assert sum(int(row["amount"]) for row in rows) == self.paid_calls * PRICE
        self.payer.command("ledger", "verify")

    def run(self):
        print("Interop, statements: the seller signs offers and receipts, the buyer signs in; x402 SDK", flush=True)
        with self.check("the payer starts"):
            self.payer.start({"scout": ("main", CAPS), "other": ("other", CAPS)})
        if self.failures:
            return
        stranger = self.stranger.account.address
        unknown = "is neither the payee nor pinned"
        steps = [
            ("an offer and a receipt by EIP-712, signed by the payee", self.verified("/typed")),
            ("an offer and a receipt as JWS, by a did:key that the operator named", self.verified("/jws")),
            ("an offer and a receipt by a did:web, with a key of its pinned document", self.verified("/web")),
            (
                "any 64 bytes in the name of that did:web are told",
                self.doubtful("/web/forged", "the signature is not that of the key it names", "receipt"),
            ),
            (
                "an offer of another amount is told",
                self.doubtful("/typed/amount", "another amount than was agreed", "receipt verified"),
            ),
            (
                "a JWS whose content was changed is told",
                self.doubtful("/jws/tampered", "the signature is not that of the key it names", "receipt"),
            ),
            (
                "an offer that is over is told",
                self.doubtful("/typed/expired", "it is out of date", "receipt verified"),
            ),
            ("a stranger's EIP-712 signature is told", self.doubtful("/typed/stranger", stranger, unknown)),
            ("a stranger's did:key is told", self.doubtful("/jws/stranger", self.stranger.did, unknown)),
            ("what was bought is read again by signing in, twice", self.signing_in),
            ("an agent that has not bought pays", self.another_agent_pays),
            ("a statement for another host is not signed", self.another_host),
            ("each statement has its own number, and none is in the log", self.statements_are_fresh),
            ("chain and books agree to the unit", self.books_and_chain_agree),
        ]
        self.check_all(steps)

    def stop(self):
        self.client.close()
        for part in (self.payer, self.seller_service, self.phisher_service, self.facilitator_service, self.node):
            part.stop()


if __name__ == "__main__":
    run_suite(Suite, "statements", __doc__)
