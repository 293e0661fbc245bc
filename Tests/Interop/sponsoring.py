"""Allowances that the seller's facilitator brings and pays for, on a chain posing as Polygon with its salted USDT0.

The official SDK sells, verifies and settles: by `settleWithPermit` with a permit for each payment, and by broadcasting an
approval without a limit before it settles. The payer's wallets never send a transaction themselves.
"""

import base64
import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import chain
import httpx
from eth_account import Account

chain.CHAIN_ID, chain.NETWORK = 137, "eip155:137"
chain.TOKEN = "0xc2132D05D31c914a87C6611C10748AEb04B58e8F"
chain.compile_token = lambda: chain.compile_contract("PolygonTether.vy")

from checks import Checks, run_suite  # noqa: E402  (the chain comes first)
from facilitator import Facilitator, OrderedSigner  # noqa: E402
from fastapi import FastAPI, Request, Response  # noqa: E402
from purser import Purser  # noqa: E402
from service import Service  # noqa: E402
from x402 import x402ResourceServer  # noqa: E402
from x402.extensions.eip2612_gas_sponsoring import declare_eip2612_gas_sponsoring_extension  # noqa: E402
from x402.extensions.erc20_approval_gas_sponsoring import (  # noqa: E402
    Erc20ApprovalFacilitatorExtension,
    declare_erc20_approval_gas_sponsoring_extension,
)
from x402.http import FacilitatorConfig, HTTPFacilitatorClient  # noqa: E402
from x402.http.middleware.fastapi import payment_middleware  # noqa: E402
from x402.http.types import PaymentOption, RouteConfig  # noqa: E402
from x402.mechanisms.evm.constants import (  # noqa: E402
    PERMIT2_ADDRESS,
    X402_EXACT_PERMIT2_PROXY_ADDRESS,
    X402_UPTO_PERMIT2_PROXY_ADDRESS,
)
from x402.mechanisms.evm.exact import register_exact_evm_server  # noqa: E402
from x402.mechanisms.evm.upto import (  # noqa: E402
    UptoEvmFacilitatorScheme,
    UptoEvmSchemeConfig,
    UptoEvmServerScheme,
)

SELLER = "0x90F8bf6A479f320ead074411a4B0e7944Ea8c9C1"
# The separator that the true USDT0 reports on Polygon.
TRUE_SEPARATOR = "7b43b7deae87806d0ace67d6c8e9e347fc85db8ad198e756e5c17d126fef9a05"
FUNDS = 5_000_000
PRICES = {"/permit": 10_001, "/upto": 50_020, "/small": 1_003, "/approval": 70_007, "/both": 80_009}
USED = {"/upto": 12_345}
CAPS = {"request": "0.10", "day": "5", "lifetime": "100"}
UNLIMITED = 2**256 - 1
# What stands in the books in the place of a signature.
BLANK = "0x" + "00" * 64 + "1b"
SIGNED = {"eip2612GasSponsoring": "signature", "erc20ApprovalGasSponsoring": "signedTransaction"}
PARALLEL = 4
# The daemon looks at the chain every half minute.
WATCH_SECONDS = 80


def _view(name, inputs):
    return {
        "type": "function",
        "name": name,
        "stateMutability": "view",
        "inputs": [{"name": f"a{index}", "type": kind} for index, kind in enumerate(inputs)],
        "outputs": [{"name": "", "type": "uint256"}],
    }


class BroadcastingSigner(OrderedSigner):
    """Sends the payer's approval, and the settlement once that is in a block."""

    def __init__(self, rpc):
        super().__init__(rpc)
        self.broadcast = []

    def send_transactions(self, transactions):
        raw, call = transactions
        approval = "0x" + self._w3.eth.send_raw_transaction(raw).hex().removeprefix("0x")
        assert self.wait_for_transaction_receipt(approval).status == 1, "the approval failed"
        self.broadcast.append(approval)
        settlement = self.write_contract(
            call.address, call.abi, call.function, *call.args, data_suffix=call.data_suffix
        )
        return [approval, settlement]


class SponsoringFacilitator(Facilitator):
    """The official one with `upto` and both ways of sponsoring."""

    def _register(self, signer):
        self.broadcaster = BroadcastingSigner(self.rpc)
        self.official.register(
            [chain.NETWORK], UptoEvmFacilitatorScheme(signer, UptoEvmSchemeConfig(simulate_in_settle=True))
        )
        self.official.register_extension(Erc20ApprovalFacilitatorExtension(self.broadcaster))


class Seller:
    """Sells by Permit2 only, each route with what it sponsors; keeps the extensions of every payment."""

    def __init__(self, url, facilitator):
        self.url = url
        self.extensions = []
        app = FastAPI()
        server = x402ResourceServer(HTTPFacilitatorClient(FacilitatorConfig(url=facilitator)))
        register_exact_evm_server(server, chain.NETWORK)
        server.register(chain.NETWORK, UptoEvmServerScheme())
        app.middleware("http")(payment_middleware({f"GET {path}": self._route(path) for path in PRICES}, server))
        app.middleware("http")(self._recording)
        for path in PRICES:
            app.get(path)(self._sold)
        self.app = app

    def _route(self, path):
        extra = {"name": "USDT0", "version": "1", "assetTransferMethod": "permit2"}
        price = {"amount": str(PRICES[path]), "asset": chain.TOKEN, "extra": extra}
        option = PaymentOption(
            scheme="upto" if path == "/upto" else "exact",
            pay_to=SELLER,
            price=price,
            network=chain.NETWORK,
            max_timeout_seconds=60,
        )
        permits, approvals = (
            declare_eip2612_gas_sponsoring_extension(),
            declare_erc20_approval_gas_sponsoring_extension(),
        )
        offered = {"/approval": approvals, "/both": permits | approvals}.get(path, permits)
        return RouteConfig(accepts=option, mime_type="application/json", extensions=offered)

    async def _recording(self, request, call_next):
        header = request.headers.get("payment-signature")
        if header is not None:
            self.extensions.append(json.loads(base64.b64decode(header, validate=True)).get("extensions", {}))
        return await call_next(request)

    async def _sold(self, request: Request, response: Response):
        used = USED.get(request.url.path)
        if used is not None:
            response.headers["Settlement-Overrides"] = json.dumps({"amount": str(used)})
        return {"sold": True}


class Suite(Checks):
    """The services, the payer and what was bought so far."""

    def __init__(self, binary, directory):
        super().__init__()
        self.keys = {wallet: Account.create().key for wallet in ("main", "other")}
        self.payers = {wallet: Account.from_key(key).address for wallet, key in self.keys.items()}
        contracts = {
            PERMIT2_ADDRESS: chain.compile_contract("Permit2.vy"),
            X402_EXACT_PERMIT2_PROXY_ADDRESS: chain.compile_contract("ExactProxy.vy"),
            X402_UPTO_PERMIT2_PROXY_ADDRESS: chain.compile_contract("UptoProxy.vy"),
        }
        # The second wallet has coins for the gas of its approval; the first one has none.
        self.node = chain.Node(contracts, rich=[self.payers["other"]])
        abi = [_view("allowance", ["address", "address"]), _view("nonces", ["address"])]
        self.token = self.node.web3.eth.contract(address=chain.TOKEN, abi=abi)
        self.facilitator_service, self.seller_service = Service(), Service()
        self.facilitator = SponsoringFacilitator(self.node.url)
        self.facilitator_service.start(self.facilitator.app)
        self.seller = Seller(self.seller_service.url, self.facilitator_service.url)
        self.seller_service.start(self.seller.app)
        self.node.mint({address: FUNDS for address in self.payers.values()})
        self.payer = Purser(
            binary,
            directory,
            self.seller.url,
            self.keys,
            pay="eip155:137/USDT",
            chains={chain.NETWORK: self.node.url},
            approvals={"other": "eip155:137/USDT"},
        )
        self.client = httpx.Client(timeout=60, limits=httpx.Limits(max_connections=None))
        self.paid_calls = 0

    def get(self, path, agent="scout"):
        return self.client.get(self.payer.url + path, headers=self.payer.headers(agent))

    def buy(self, path, agent="scout"):
        answer = self.get(path, agent)
        assert answer.status_code == 200, f"{path} answered {answer.status_code}: {answer.text[:500]}"
        report = json.loads(base64.b64decode(answer.headers["payment-response"]))
        assert report["success"] is True
        self.paid_calls += 1
        return report

    def allowance(self, wallet="main"):
        return self.token.functions.allowance(self.payers[wallet], PERMIT2_ADDRESS).call()

    def permits(self):
        return self.token.functions.nonces(self.payers["main"]).call()

    def transactions(self, wallet):
        return self.node.web3.eth.get_transaction_count(self.payers[wallet])

    # Checks.

    def the_chain_is_what_it_poses_as(self):
        assert self.node.token.functions.DOMAIN_SEPARATOR().call().hex() == TRUE_SEPARATOR
        assert self.allowance() == self.allowance("other") == 0

    def exact(self):
        report = self.buy("/permit")
        receipt = self.node.web3.eth.get_transaction_receipt(report["transaction"])
        assert receipt["to"] == X402_EXACT_PERMIT2_PROXY_ADDRESS and receipt["status"] == 1
        assert self.permits() == 1 and self.allowance() == 0
        info = self.seller.extensions[-1]["eip2612GasSponsoring"]["info"]
        assert info["amount"] == str(PRICES["/permit"]) and info["nonce"] == "0"
        assert self.transactions("main") == 0

    def side_by_side(self):
        before = self.permits()
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(lambda number: self.buy(f"/permit?n={number}"), range(PARALLEL)))
        assert self.permits() == before + PARALLEL and self.allowance() == 0

    def upto(self):
        report = self.buy("/upto")
        assert report["amount"] == str(USED["/upto"])
        assert self.allowance() == PRICES["/upto"] - USED["/upto"]

    def what_is_allowed_already(self):
        before = self.permits()
        self.buy("/small")
        assert self.permits() == before
        assert "signature" not in self.seller.extensions[-1]["eip2612GasSponsoring"]["info"]

    def an_approval_that_nobody_named(self):
        sold = len(self.seller.extensions)
        answer = self.get("/approval")
        assert answer.status_code == 402 and answer.json()["code"] == "allowance-missing", answer.text
        assert len(self.seller.extensions) == sold and self.transactions("main") == 0

    def an_approval(self):
        self.buy("/approval", "buyer")
        assert self.allowance("other") == UNLIMITED and self.transactions("other") == 1
        sent = self.seller.extensions[-1]["erc20ApprovalGasSponsoring"]["info"]["signedTransaction"]
        assert Account.recover_transaction(sent) == self.payers["other"]
        self.buy("/approval?again", "buyer")
        assert "signedTransaction" not in self.seller.extensions[-1]["erc20ApprovalGasSponsoring"]["info"]
        assert self.transactions("other") == 1 and len(self.facilitator.broadcaster.broadcast) == 1

    def a_permit_goes_first(self):
        self.buy("/both")
        sent = self.seller.extensions[-1]
        assert sent["eip2612GasSponsoring"]["info"]["amount"] == str(PRICES["/both"])
        assert "signedTransaction" not in sent["erc20ApprovalGasSponsoring"]["info"]

    def no_approval_is_in_the_books(self):
        with sqlite3.connect(f"file:{self.payer.state / 'ledger.sqlite'}?mode=ro", uri=True) as books:
            rows = books.execute("SELECT extensions FROM payments WHERE extensions IS NOT NULL").fetchall()
        kept = [bytes(extensions).decode() for (extensions,) in rows]
        assert any(BLANK in text for text in kept), "no entry of a permit was found in the books"
        log = self.payer.log.read_text()
        for extensions in self.seller.extensions:
            for key, member in SIGNED.items():
                signed = extensions.get(key, {}).get("info", {}).get(member)
                assert signed is None or not any(signed in text for text in [log, *kept]), f"{key} is on disk"

    def the_facilitator_objected_to_nothing(self):
        assert self.facilitator.refused == [], f"{self.facilitator.refused}"

    def the_chain_shows_what_was_moved(self):
        """The chain watch reads the settlement that carried a permit, half a minute behind its start."""
        # The last settlements are final one block later.
        wanted = self.node.web3.eth.block_number + 2
        while self.node.web3.eth.block_number < wanted:
            time.sleep(0.1)
        self.payer.restart()
        deadline = time.monotonic() + WATCH_SECONDS
        moved = None
        while moved is None and time.monotonic() < deadline:
            time.sleep(1)
            moved = next(row.get("moved") for row in self.payer.json("payment", "list") if row.get("scheme") == "upto")
        assert moved == str(USED["/upto"]), f"{moved} in the books, {USED['/upto']} on the chain"

    def books_and_chain_agree(self):
        rows = [row for row in self.payer.json("payment", "list") if row["state"] in ("settled", "confirmed")]
        assert len(rows) == self.paid_calls, f"{len(rows)} rows, {self.paid_calls} calls"
        booked = sum(int(row.get("moved", row["amount"])) for row in rows)
        left = sum(self.node.balance(address) for address in self.payers.values())
        assert 2 * FUNDS - left == booked == self.node.balance(SELLER), f"{booked} in the books"
        self.payer.command("ledger", "verify")

    def run(self):
        print("Interop, sponsored approvals: purser pays; x402 SDK sells and settles; py-evm", flush=True)
        with self.check("the payer starts"):
            self.payer.start({"scout": ("main", CAPS), "buyer": ("other", CAPS)})
        if self.failures:
            return
        steps = [
            ("the true USDT0's salted domain, and no allowance", self.the_chain_is_what_it_poses_as),
            ("exact with a permit: one transaction of the facilitator's", self.exact),
            (f"{PARALLEL} at once of one wallet, each with the next permit", self.side_by_side),
            ("upto with a permit for the maximum", self.upto),
            ("an allowance that is there needs no permit", self.what_is_allowed_already),
            ("an approval for a token that the operator did not name is not signed", self.an_approval_that_nobody_named),
            ("an approval, broadcast by the facilitator, once", self.an_approval),
            ("where both are offered the permit goes first", self.a_permit_goes_first),
            ("what was signed for an approval is neither in the books nor in the log", self.no_approval_is_in_the_books),
            ("the official facilitator objected to nothing", self.the_facilitator_objected_to_nothing),
            ("the chain watch finds what the upto payment moved", self.the_chain_shows_what_was_moved),
            ("chain and books agree to the unit", self.books_and_chain_agree),
        ]
        self.check_all(steps)

    def stop(self):
        self.client.close()
        for part in (self.payer, self.seller_service, self.facilitator_service, self.node):
            part.stop()


if __name__ == "__main__":
    run_suite(Suite, "sponsoring", __doc__)
