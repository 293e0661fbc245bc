"""A real Ethereum virtual machine on loopback, posing as Arbitrum One with a USDT-like token at its true address.

py-evm (behind eth-tester's backend) executes, a small JSON-RPC server lets web3.py talk to it. One block is mined
a second and carries the second's real time, because authorizations are valid in windows of real time.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import vyper
from eth_account import Account
from eth_tester.backends.pyevm.main import PyEVMBackend, get_default_genesis_params
from eth_tester.exceptions import TransactionFailed
from eth_utils import keccak, to_canonical_address, to_checksum_address
from web3 import Web3

CHAIN_ID = 42161
NETWORK = f"eip155:{CHAIN_ID}"
TOKEN = "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"
TOKEN_NAME = "USD₮0"
TOKEN_VERSION = "1"

MINTER_KEY = "0x" + "1".zfill(64)
FACILITATOR_KEY = "0x" + "2".zfill(64)

ETHER = 10**18
GWEI = 10**9

TOKEN_ABI = [
    {
        "type": "function",
        "name": name,
        "stateMutability": mutability,
        "inputs": [{"name": f"a{index}", "type": kind} for index, kind in enumerate(inputs)],
        "outputs": [{"name": "", "type": kind} for kind in outputs],
    }
    for name, mutability, inputs, outputs in [
        ("name", "view", [], ["string"]),
        ("symbol", "view", [], ["string"]),
        ("decimals", "view", [], ["uint8"]),
        ("version", "view", [], ["string"]),
        ("DOMAIN_SEPARATOR", "view", [], ["bytes32"]),
        ("balanceOf", "view", ["address"], ["uint256"]),
        ("authorizationState", "view", ["address", "bytes32"], ["bool"]),
        ("mint", "nonpayable", ["address", "uint256"], []),
    ]
] + [
    {
        "type": "event",
        "name": "AuthorizationUsed",
        "anonymous": False,
        "inputs": [
            {"name": "authorizer", "type": "address", "indexed": True},
            {"name": "nonce", "type": "bytes32", "indexed": True},
        ],
    }
]


def compile_token():
    """The token's runtime byte code."""
    return compile_contract("Token.vy")


def compile_contract(name):
    """The runtime byte code of a Vyper source beside this file."""
    source = (Path(__file__).parent / name).read_text(encoding="utf-8")
    compiled = vyper.compile_code(source, output_formats=["bytecode_runtime"])
    return bytes.fromhex(compiled["bytecode_runtime"].removeprefix("0x"))


def _account(balance=0, code=b""):
    return {"balance": balance, "nonce": 0, "code": code, "storage": {}}


class Chain:
    """The machine, its queue of transactions and its index of receipts; every access holds the one lock."""

    def __init__(self, contracts, rich):
        self.lock = threading.Lock()
        genesis = {
            to_canonical_address(TOKEN): _account(code=compile_token()),
            to_canonical_address(Account.from_key(MINTER_KEY).address): _account(balance=ETHER),
            to_canonical_address(Account.from_key(FACILITATOR_KEY).address): _account(balance=ETHER),
        }
        genesis |= {to_canonical_address(address): _account(code=code) for address, code in contracts.items()}
        genesis |= {to_canonical_address(address): _account(balance=ETHER) for address in rich}
        # A minute back, so that the first blocks have room before the present.
        parameters = get_default_genesis_params({"timestamp": int(time.time()) - 60})
        # Free gas: a call may then come from an account without ether, as it may at any node.
        parameters["base_fee_per_gas"] = 0
        self.backend = PyEVMBackend(genesis_parameters=parameters, genesis_state=genesis)
        type(self.backend.chain).chain_id = CHAIN_ID
        self.queue = []
        self.receipts = {}
        self.transactions = {}
        self.logs = []
        self.stopped = threading.Event()
        self.mine()
        threading.Thread(target=self._mine_each_second, daemon=True).start()

    def latest(self):
        return self.backend.get_block_by_number("latest", False)

    def mine(self):
        """Mine the queue into one block that carries the present second."""
        with self.lock:
            now = int(time.time())
            if self.latest()["timestamp"] >= now:
                return
            chain = self.backend.chain
            chain.header = chain.header.copy(timestamp=now)
            queue, self.queue = self.queue, []
            hashes = []
            for raw in queue:
                try:
                    hashes.append(self.backend.send_raw_transaction(raw))
                except Exception as error:  # whatever the machine objects to, the others still go in
                    print(f"chain: transaction dropped: {error}", flush=True)
            self.backend.mine_blocks()
            for transaction in hashes:
                self._keep(self.backend.get_transaction_by_hash(transaction))
                self._index(self.backend.get_transaction_receipt(transaction))

    def _keep(self, transaction):
        self.transactions[_data(transaction["hash"])] = {
            "hash": _data(transaction["hash"]),
            "blockNumber": hex(transaction["block_number"]),
            "blockHash": _data(transaction["block_hash"]),
            "transactionIndex": hex(transaction["transaction_index"]),
            "from": to_checksum_address(transaction["from"]),
            "to": to_checksum_address(transaction["to"]) if transaction["to"] else None,
            "nonce": hex(transaction["nonce"]),
            "value": hex(transaction["value"]),
            "input": _data(transaction["data"]),
        }

    def _index(self, receipt):
        logs = [
            {
                "address": to_checksum_address(log["address"]),
                "topics": [_data(topic) for topic in log["topics"]],
                "data": _data(log["data"]),
                "blockNumber": hex(receipt["block_number"]),
                "blockHash": _data(receipt["block_hash"]),
                "transactionHash": _data(receipt["transaction_hash"]),
                "transactionIndex": hex(receipt["transaction_index"]),
                "logIndex": hex(index),
                "removed": False,
            }
            for index, log in enumerate(receipt["logs"])
        ]
        self.logs += logs
        self.receipts[_data(receipt["transaction_hash"])] = {
            "transactionHash": _data(receipt["transaction_hash"]),
            "transactionIndex": hex(receipt["transaction_index"]),
            "blockNumber": hex(receipt["block_number"]),
            "blockHash": _data(receipt["block_hash"]),
            "from": to_checksum_address(receipt["from"]),
            "to": to_checksum_address(receipt["to"]) if receipt["to"] else None,
            "gasUsed": hex(receipt["gas_used"]),
            "cumulativeGasUsed": hex(receipt["cumulative_gas_used"]),
            "effectiveGasPrice": hex(receipt["effective_gas_price"]),
            "status": hex(receipt["status"]),
            "contractAddress": None,
            "type": "0x0",
            "logsBloom": "0x" + "00" * 256,
            "logs": logs,
        }

    def _mine_each_second(self):
        while not self.stopped.wait(1.02 - time.time() % 1):
            self.mine()

    # JSON-RPC: one method for each name web3.py asks for.

    def eth_chainId(self):
        return hex(CHAIN_ID)

    def net_version(self):
        return str(CHAIN_ID)

    def web3_clientVersion(self):
        return "py-evm"

    def eth_blockNumber(self):
        return hex(self.latest()["number"])

    def eth_gasPrice(self):
        return hex(GWEI)

    def eth_maxPriorityFeePerGas(self):
        return hex(GWEI)

    def eth_feeHistory(self, count, newest="latest", percentiles=()):
        blocks = int(count, 16)
        return {
            "oldestBlock": hex(max(0, self.latest()["number"] - blocks + 1)),
            "baseFeePerGas": [hex(self.latest()["base_fee_per_gas"])] * (blocks + 1),
            "gasUsedRatio": [0.0] * blocks,
            "reward": [[hex(GWEI)] * len(percentiles)] * blocks,
        }

    def eth_getBalance(self, address, block="latest"):
        return hex(self.backend.get_balance(to_canonical_address(address)))

    def eth_getCode(self, address, block="latest"):
        return _data(self.backend.get_code(to_canonical_address(address)))

    def eth_getTransactionCount(self, address, block="latest"):
        count = self.backend.get_nonce(to_canonical_address(address))
        if block == "pending":
            count += sum(Account.recover_transaction(raw) == to_checksum_address(address) for raw in self.queue)
        return hex(count)

    def eth_getBlockByNumber(self, block="latest", full=False):
        number = block if block in ("latest", "earliest", "safe", "finalized") else int(block, 16)
        found = self.backend.get_block_by_number(number, False)
        return {
            "number": hex(found["number"]),
            "hash": _data(found["hash"]),
            "parentHash": _data(found["parent_hash"]),
            "timestamp": hex(found["timestamp"]),
            "gasLimit": hex(found["gas_limit"]),
            "gasUsed": hex(found["gas_used"]),
            "baseFeePerGas": hex(found["base_fee_per_gas"]),
            "miner": to_checksum_address(found["coinbase"]),
            "extraData": "0x",
            "transactions": [_data(transaction) for transaction in found["transactions"]],
        }

    def eth_call(self, call, block="latest", overrides=None):
        # As of the block that was asked for: proofs rest on the state of a final block, not on the newest.
        number = block if block in ("latest", "safe", "finalized", "pending") else int(block, 16)
        return _data(self.backend.call(self._transaction(call), "latest" if number == "pending" else number))

    def eth_estimateGas(self, call, block="latest"):
        return hex(self.backend.estimate_gas(self._transaction(call)))

    def eth_sendRawTransaction(self, raw):
        data = bytes.fromhex(raw.removeprefix("0x"))
        self.queue.append(data)
        return _data(keccak(data))

    def eth_getTransactionReceipt(self, transaction):
        return self.receipts.get(transaction.lower())

    def eth_getTransactionByHash(self, transaction):
        return self.transactions.get(transaction.lower())

    def eth_getLogs(self, query):
        low, high = self._height(query.get("fromBlock", "earliest")), self._height(query.get("toBlock", "latest"))
        wanted = [_choices(query.get("address")), *(_choices(topic) for topic in query.get("topics") or [])]
        logs = [log for log in self.logs if low <= int(log["blockNumber"], 16) <= high]
        return [log for log in logs if _matches([log["address"], *log["topics"]], wanted)]

    def _height(self, block):
        if block == "earliest":
            return 0
        return self.latest()["number"] if block in ("latest", "safe", "finalized", "pending") else int(block, 16)

    def _transaction(self, call):
        data = call.get("data") or call.get("input") or "0x"
        return {
            "from": to_canonical_address(call.get("from") or "0x" + "00" * 20),
            "to": to_canonical_address(call["to"]),
            "data": bytes.fromhex(data.removeprefix("0x")),
            "value": int(call.get("value", "0x0"), 16),
            "gas": 5_000_000,
            "gas_price": 0,
        }

    def answer(self, request):
        """One JSON-RPC answer; a revert comes back the way nodes word it."""
        envelope = {"jsonrpc": "2.0", "id": request.get("id")}
        method = request.get("method", "")
        if not method.startswith(("eth_", "net_", "web3_")) or not hasattr(self, method):
            return envelope | {"error": {"code": -32601, "message": f"no method {method}"}}
        try:
            with self.lock:
                return envelope | {"result": getattr(self, method)(*request.get("params", []))}
        except TransactionFailed as error:
            return envelope | {"error": {"code": 3, "message": f"execution reverted: {error}", "data": "0x"}}
        except Exception as error:
            return envelope | {"error": {"code": -32000, "message": f"{type(error).__name__}: {error}"}}


def _data(value):
    return "0x" + bytes(value if not isinstance(value, int) else value.to_bytes(32, "big")).hex()


def _choices(filter):
    """The values a log filter's member allows, in lower case; None allows all."""
    if filter is None:
        return None
    return [value.lower() for value in (filter if isinstance(filter, list) else [filter])]


def _matches(values, wanted):
    if len(values) < len(wanted):
        return False
    return all(choices is None or value.lower() in choices for value, choices in zip(values, wanted, strict=False))


class _RPC(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    chain: Chain

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        many = isinstance(request, list)
        answers = [self.chain.answer(one) for one in (request if many else [request])]
        body = json.dumps(answers if many else answers[0]).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        return


class Node:
    """The chain behind a port, and the few reads and writes the suite makes through it.

    `contracts` maps addresses to the code that stands there from the beginning; the accounts of `rich` have ether.
    """

    def __init__(self, contracts=None, rich=()):
        self.chain = Chain(contracts or {}, rich)
        handler = type("RPC", (_RPC,), {"chain": self.chain, "disable_nagle_algorithm": True})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.web3 = Web3(Web3.HTTPProvider(self.url))
        self.token = self.web3.eth.contract(address=TOKEN, abi=TOKEN_ABI)

    def balance(self, address):
        return self.token.functions.balanceOf(address).call()

    def used_nonce(self, address, nonce):
        return self.token.functions.authorizationState(address, nonce).call()

    def used_nonces(self):
        """(authorizer, nonce as 0x-hex) of every authorization the token has executed, in the chain's order."""
        events = self.token.events.AuthorizationUsed().get_logs(from_block=0)
        return [(event["args"]["authorizer"], "0x" + event["args"]["nonce"].hex()) for event in events]

    def succeeded(self, transaction):
        return self.web3.eth.wait_for_transaction_receipt(transaction, timeout=10)["status"] == 1

    def mint(self, amounts):
        """Fund each address of `amounts`, in atomic units, and wait until it is on the chain."""
        minter = Account.from_key(MINTER_KEY)
        nonce = self.web3.eth.get_transaction_count(minter.address)
        sent = []
        for index, (address, amount) in enumerate(amounts.items()):
            fields = {"from": minter.address, "nonce": nonce + index, "gas": 200_000, "chainId": CHAIN_ID}
            fields["gasPrice"] = self.web3.eth.gas_price
            call = self.token.functions.mint(address, amount).build_transaction(fields)
            sent.append(self.web3.eth.send_raw_transaction(minter.sign_transaction(call).raw_transaction))
        assert all(self.succeeded(transaction) for transaction in sent), "minting failed"

    def stop(self):
        self.chain.stopped.set()
        self.server.shutdown()
