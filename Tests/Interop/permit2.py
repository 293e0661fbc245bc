"""Payments through Permit2 against software nobody here wrote: `exact` and `upto`, on a chain posing as BNB Chain.

The official SDK sells and settles; Permit2, the two x402 proxies and a USDT without EIP-3009 stand at their true
addresses. Purser gives the allowance, pays, and proves by the chain what became of each payment.
"""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

import chain
import httpx
from eth_account import Account
from eth_account.messages import encode_typed_data
from web3.exceptions import ContractLogicError

chain.CHAIN_ID, chain.NETWORK = 56, "eip155:56"
chain.TOKEN = "0x55d398326f99059fF775485246999027B3197955"
chain.compile_token = lambda: chain.compile_contract("BinanceTether.vy")

from checks import Checks, run_suite  # noqa: E402
from permit2_seller import PRICES, SELLER, USED, Seller, SettlingFacilitator  # noqa: E402  (the chain comes first)
from purser import Purser  # noqa: E402
from service import Service  # noqa: E402
from x402.mechanisms.evm.constants import (  # noqa: E402
    PERMIT2_ADDRESS,
    PERMIT2_WITNESS_TYPES,
    UPTO_PERMIT2_WITNESS_TYPES,
    X402_EXACT_PERMIT2_PROXY_ADDRESS,
    X402_UPTO_PERMIT2_PROXY_ABI,
    X402_UPTO_PERMIT2_PROXY_ADDRESS,
)
from x402.mechanisms.evm.types import ExactPermit2Payload, UptoPermit2Payload  # noqa: E402

CENT = 10**16
FUNDS = 500 * CENT
ALLOWANCE = 400 * CENT
# The separator that the true Permit2 reports on BNB Chain.
TRUE_SEPARATOR = "4142cc3c823f819c467fa4437d637fe20589a31dfcd1da2ff22292c9ed9344e7"
CAPS = {"request": "0.10", "day": "5", "lifetime": "100"}
# The daemon looks at the chain every half minute.
WATCH_SECONDS = 80
PARALLEL = 6


def _function(name, inputs, outputs):
    return {
        "type": "function",
        "name": name,
        "stateMutability": "view",
        "inputs": [{"name": f"a{index}", "type": kind} for index, kind in enumerate(inputs)],
        "outputs": [{"name": "", "type": kind} for kind in outputs],
    }


ALLOWANCE_ABI = [_function("allowance", ["address", "address"], ["uint256"])]
PERMIT2_ABI = [
    _function("nonceBitmap", ["address", "uint256"], ["uint256"]),
    _function("DOMAIN_SEPARATOR", [], ["bytes32"]),
]


class Suite(Checks):
    """The services, the payer and what was bought so far."""

    def __init__(self, binary, directory):
        super().__init__()
        # Two wallets of eth-account's: one gives Permit2 an allowance, the other never does.
        self.keys = {wallet: Account.create().key for wallet in ("main", "bare")}
        self.payers = {wallet: Account.from_key(key).address for wallet, key in self.keys.items()}
        contracts = {
            PERMIT2_ADDRESS: chain.compile_contract("Permit2.vy"),
            X402_EXACT_PERMIT2_PROXY_ADDRESS: chain.compile_contract("ExactProxy.vy"),
            X402_UPTO_PERMIT2_PROXY_ADDRESS: chain.compile_contract("UptoProxy.vy"),
        }
        self.node = chain.Node(contracts, rich=self.payers.values())
        self.permit2 = self.node.web3.eth.contract(address=PERMIT2_ADDRESS, abi=PERMIT2_ABI)
        self.allowances = self.node.web3.eth.contract(address=chain.TOKEN, abi=ALLOWANCE_ABI)
        self.facilitator = SettlingFacilitator(self.node.url)
        self.facilitator_service, self.seller_service = Service(), Service()
        self.facilitator_service.start(self.facilitator.app)
        self.seller = Seller(self.seller_service.url, self.facilitator_service.url)
        self.seller_service.start(self.seller.app)
        self.node.mint({address: FUNDS for address in self.payers.values()})
        self.payer = Purser(
            binary, directory, self.seller.url, self.keys, pay="eip155:56/USDT", chains={chain.NETWORK: self.node.url}
        )
        self.client = httpx.Client(timeout=60, limits=httpx.Limits(max_connections=None))
        self.bought = 0

    @property
    def paid_calls(self):
        return self.bought

    # Reading.

    def balances(self):
        return {address: self.node.balance(address) for address in [*self.payers.values(), SELLER]}

    def rows(self):
        """The books, newest names as `purser payment list --json` prints them, by payment number."""
        return {row["id"]: row for row in self.payer.json("payment", "list")}

    def open_payments(self):
        return {row["id"] for row in self.payer.json("payment", "list", "--open")["payments"]}

    def is_used(self, row):
        nonce = int(row["nonce"], 16)
        return self.permit2.functions.nonceBitmap(row["payer"], nonce >> 8).call() >> (nonce & 255) & 1 == 1

    def get(self, path, agent="scout"):
        return self.client.get(self.payer.url + path, headers=self.payer.headers(agent))

    def buy(self, path):
        """A paid call: its row in the books and the seller's settlement report, after a look at the answer."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path} answered {answer.status_code}: {answer.text[:500]}"
        self.bought += 1
        report = json.loads(base64.b64decode(answer.headers["payment-response"]))
        assert report["success"] is True
        return self.rows()[answer.headers["purser-payment"]], report

    def moves(self, path, amount):
        """A paid call that moves `amount` on the chain and sets the whole price aside."""
        before = self.balances()
        row, report = self.buy(path)
        change = {address: after - before[address] for address, after in self.balances().items()}
        assert change == {self.payers["main"]: -amount, self.payers["bare"]: 0, SELLER: amount}, f"moved {change}"
        assert int(row["amount"]) == PRICES[path], f"{row['amount']} set aside, the price is {PRICES[path]}"
        assert self.is_used(row) == (amount > 0), "the nonce's bit on the chain is not what was expected"
        return row, report

    # Checks.

    def the_chain_is_what_it_poses_as(self):
        assert self.node.web3.eth.chain_id == 56
        assert self.node.token.functions.decimals().call() == 18
        assert self.permit2.functions.DOMAIN_SEPARATOR().call().hex() == TRUE_SEPARATOR

    def the_allowance_is_given(self):
        self.approve("4.00", ALLOWANCE)

    def approve(self, tokens, units):
        words = ["wallet", "approve", "main", "--network", "eip155:56", "--asset", "USDT", "--amount", tokens]
        done = self.payer.json(*words, "--send")
        assert all(self.node.succeeded(transaction) for transaction in done["sent"]) and done["sent"]
        given = self.allowances.functions.allowance(self.payers["main"], PERMIT2_ADDRESS).call()
        assert given == units, f"the allowance is {given}"

    def exact(self):
        row, report = self.moves("/exact", PRICES["/exact"])
        assert row["payment_method"] == "exact-permit2" and row["state"] == "settled", row
        assert self.node.succeeded(report["transaction"])

    def without_an_allowance(self):
        """The daemon looks at the chain before it signs."""
        before, seen = self.balances(), set(self.rows())
        answer = self.get("/exact", agent="pauper")
        assert answer.status_code == 402, f"answered {answer.status_code}: {answer.text[:500]}"
        problem = answer.json()
        assert problem["code"] == "allowance-missing" and "purser wallet approve bare" in problem["detail"], problem
        (row,) = [row for number, row in self.rows().items() if number not in seen]
        assert row["state"] == "refused" and int(row["amount"]) == PRICES["/exact"] and not self.is_used(row), row
        assert self.balances() == before

    def allowance_taken_back(self):
        """What the daemon remembers of the allowance is true no more, so the seller finds out."""
        before, seen = self.balances(), set(self.rows())
        self.approve("0", 0)
        # A request that nothing else repeats: the rejected attempt would be taken over with its own bytes.
        answer = self.get("/exact?taken=back")
        assert answer.status_code == 402, f"answered {answer.status_code}: {answer.text[:500]}"
        problem = answer.json()
        assert problem["code"] == "allowance-missing" and "purser wallet approve main" in problem["detail"], problem
        (row,) = [row for number, row in self.rows().items() if number not in seen and "nonce" in row]
        assert row["state"] == "rejected", f"{row['state']}: the signature is out, and may be settled until it ends"
        assert "permit2_allowance_required" in row.get("reason", ""), f"the reason in the books: {row.get('reason')}"
        assert not self.is_used(row) and self.balances() == before
        assert row["id"] in self.open_payments(), "no exposure is shown"
        # Told by the seller, the daemon reads the chain anew.
        again = self.get("/exact?again=1")
        assert again.status_code == 402 and again.json()["code"] == "allowance-missing", again.text[:500]
        self.approve("4.00", ALLOWANCE)

    def upto_partial(self):
        row, report = self.moves("/upto/partial", USED["/upto/partial"])
        assert row["payment_method"] == "upto-permit2" and row["scheme"] == "upto", row
        assert int(report["amount"]) == USED["/upto/partial"]

    def upto_all(self):
        self.moves("/upto/all", PRICES["/upto/all"])

    def upto_zero(self):
        row, report = self.moves("/upto/zero", 0)
        assert report["amount"] == "0" and report["transaction"] == ""
        # Until the deadline the facilitator may still settle the whole of it.
        assert row["state"] == "in-doubt" and "moved" not in row, row
        assert row["id"] in self.open_payments(), "no exposure is shown"

    def upto_without_an_amount(self):
        row, report = self.moves("/upto/missing", USED["/upto/missing"])
        assert "amount" not in report and "moved" not in row, f"{report} {row}"

    def side_by_side(self):
        before = self.balances()
        paths = ["/exact", "/upto/partial"] * PARALLEL
        with ThreadPoolExecutor(len(paths)) as pool:
            answers = list(pool.map(self.get, paths))
        assert all(answer.status_code == 200 for answer in answers), [answer.text[:200] for answer in answers]
        self.bought += len(paths)
        moved = PARALLEL * (PRICES["/exact"] + USED["/upto/partial"])
        assert self.balances()[SELLER] - before[SELLER] == moved
        rows = self.rows()
        assert len({rows[answer.headers["purser-payment"]]["nonce"] for answer in answers}) == len(paths)

    def signatures(self):
        """Every payment as it reached the seller, against the SDK's own types and eth-account's signature."""
        keys = {Account.from_key(key).address: key for key in self.keys.values()}
        assert len(self.seller.payments) == self.bought + 1, f"{len(self.seller.payments)} payments arrived"
        for envelope in self.seller.payments:
            payload = envelope["payload"]
            upto = envelope["accepted"]["scheme"] == "upto"
            form = UptoPermit2Payload if upto else ExactPermit2Payload
            assert form.from_dict(payload).to_dict() == payload, f"the SDK would write {payload} in another way"
            typed = typed_data(payload["permit2Authorization"], upto)
            key = keys[payload["permit2Authorization"]["from"]]
            signature = Account.sign_typed_data(key, full_message=typed).signature
            assert "0x" + signature.hex().removeprefix("0x") == payload["signature"], "eth-account signs other bytes"
            encoded = encode_typed_data(full_message=typed)
            assert Account.recover_message(encoded, signature=payload["signature"]) in keys

    def what_a_signature_is_good_for(self):
        """An unsettled `upto` payment in the hands of its facilitator, and of those who want more."""
        paid = {one["resource"]["url"].rsplit("/", 1)[1]: one["payload"] for one in self.seller.payments}
        facilitator = Account.from_key(chain.FACILITATOR_KEY).address
        maximum = PRICES["/upto/zero"]
        self.settle(paid["zero"], maximum, facilitator)
        for title, payload, amount, sender, payee in [
            ("by another account", paid["zero"], maximum, SELLER, SELLER),
            ("for more than the maximum", paid["zero"], maximum + 1, facilitator, SELLER),
            ("for nothing", paid["zero"], 0, facilitator, SELLER),
            ("to another payee", paid["zero"], maximum, facilitator, facilitator),
            ("a second time", paid["partial"], 1, facilitator, SELLER),
        ]:
            try:
                self.settle(payload, amount, sender, payee)
            except ContractLogicError:
                continue
            raise AssertionError(f"it would settle {title}")

    def settle(self, payload, amount, sender, payee=SELLER):
        """Whether the proxy would settle, tried without a transaction; it reverts where not."""
        signed = payload["permit2Authorization"]
        permitted = (signed["permitted"]["token"], int(signed["permitted"]["amount"]))
        witness = (payee, signed["witness"]["facilitator"], int(signed["witness"]["validAfter"]))
        permit = (permitted, int(signed["nonce"]), int(signed["deadline"]))
        abi = X402_UPTO_PERMIT2_PROXY_ABI
        proxy = self.node.web3.eth.contract(address=X402_UPTO_PERMIT2_PROXY_ADDRESS, abi=abi)
        signature = bytes.fromhex(payload["signature"].removeprefix("0x"))
        proxy.functions.settle(permit, amount, signed["from"], witness, signature).call({"from": sender})

    def the_facilitator_objected_once(self):
        refused = self.facilitator.refused
        assert len(refused) == 1 and "permit2_allowance_required" in refused[0], f"{refused}"

    def the_chain_shows_what_was_moved(self):
        """The chain watch books what each settled `upto` payment really moved, half a minute behind its start."""
        # The last settlements are final one block later.
        wanted = self.node.web3.eth.block_number + 2
        while self.node.web3.eth.block_number < wanted:
            time.sleep(0.1)
        self.payer.restart()
        deadline = time.monotonic() + WATCH_SECONDS
        while True:
            rows = [row for row in self.rows().values() if row.get("scheme") == "upto" and self.is_used(row)]
            if all("moved" in row for row in rows) or time.monotonic() > deadline:
                break
            time.sleep(1)
        assert len(rows) == 3 + PARALLEL, f"{len(rows)} payments of scheme upto were settled"
        missing = [f"{row['url']} {row['state']}" for row in rows if "moved" not in row]
        assert not missing, f"not shown within {WATCH_SECONDS} s: {missing}"
        for row in rows:
            path = "/" + row["url"].split("/", 3)[3]
            wanted = USED.get(path, PRICES[path])
            assert int(row["moved"]) == wanted, f"{path}: {row['moved']} in the books, {wanted} on the chain"

    def books_and_chain_agree(self):
        rows = [row for row in self.rows().values() if "nonce" in row and self.is_used(row)]
        booked = sum(int(row.get("moved", row["amount"])) for row in rows)
        after = self.balances()
        assert FUNDS - after[self.payers["main"]] == booked == after[SELLER], f"{booked} in the books, {after}"
        self.payer.command("ledger", "verify")

    def run(self):
        print("Interop, Permit2: purser pays; x402 SDK resource server and facilitator; py-evm settles", flush=True)
        with self.check("the payer starts, with an agent of a wallet without an allowance"):
            self.payer.start({"scout": ("main", CAPS), "pauper": ("bare", CAPS)})
        if self.failures:
            return
        steps = [
            ("BNB Chain's id, the true Permit2's EIP-712 domain", self.the_chain_is_what_it_poses_as),
            ("wallet approve gives the allowance", self.the_allowance_is_given),
            ("exact, through Permit2", self.exact),
            ("exact without an allowance: refused before anything is signed", self.without_an_allowance),
            ("an allowance taken back: told by the seller, exposed, nothing moved", self.allowance_taken_back),
            ("upto: a part is settled, the maximum set aside", self.upto_partial),
            ("upto: all of it is settled", self.upto_all),
            ("upto: nothing is settled, the nonce stays", self.upto_zero),
            ("upto: a report that does not say how much", self.upto_without_an_amount),
            (f"{2 * PARALLEL} at once of both schemes", self.side_by_side),
            ("the SDK writes the same payloads, eth-account signs the same bytes", self.signatures),
            ("a signature is good for its facilitator, payee and maximum, once", self.what_a_signature_is_good_for),
            ("the official facilitator objected to nothing else", self.the_facilitator_objected_once),
            ("the chain watch finds what each upto payment moved", self.the_chain_shows_what_was_moved),
            ("chain and books agree to the unit", self.books_and_chain_agree),
        ]
        self.check_all(steps)

    def stop(self):
        self.client.close()
        for part in (self.payer, self.seller_service, self.facilitator_service, self.node):
            part.stop()


def typed_data(signed, upto):
    types = UPTO_PERMIT2_WITNESS_TYPES if upto else PERMIT2_WITNESS_TYPES
    domain = [
        {"name": "name", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ]
    return {
        "types": {"EIP712Domain": domain} | types,
        "primaryType": "PermitWitnessTransferFrom",
        "domain": {"name": "Permit2", "chainId": 56, "verifyingContract": PERMIT2_ADDRESS},
        "message": {
            "permitted": {"token": signed["permitted"]["token"], "amount": int(signed["permitted"]["amount"])},
            "spender": signed["spender"],
            "nonce": int(signed["nonce"]),
            "deadline": int(signed["deadline"]),
            "witness": signed["witness"] | {"validAfter": int(signed["witness"]["validAfter"])},
        },
    }


if __name__ == "__main__":
    run_suite(Suite, "permit2", __doc__)
