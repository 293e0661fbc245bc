"""`purser wallet approve` against a real Ethereum virtual machine that poses as Ethereum with its USDT."""

import argparse
import json
import os
import subprocess
import tempfile
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import chain
import vyper
from eth_account import Account

PERMIT2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3"
ALLOWANCE = "0xdd62ed3e"


def compile_tether():
    source = (Path(__file__).parent / "Tether.vy").read_text(encoding="utf-8")
    compiled = vyper.compile_code(source, output_formats=["bytecode_runtime"])
    return bytes.fromhex(compiled["bytecode_runtime"].removeprefix("0x"))


class Liar:
    """The same chain behind another port, which makes an account's transactions up: all of them, or those on their way."""

    def __init__(self, node, number, only_pending=False):
        self.node, self.number, self.only_pending = node, number, only_pending
        handler = type("LyingRPC", (chain._RPC,), {"chain": self, "disable_nagle_algorithm": True})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        answer = self.node.chain.answer(request)
        if request["method"] == "eth_getTransactionCount":
            if not self.only_pending or request["params"][1] == "pending":
                answer["result"] = hex(self.number)
        return answer


class Wallet:
    """A state directory whose one wallet is the chain's second account, which has ether."""

    def __init__(self, binary, folder, *urls):
        self.binary, self.folder = binary, Path(folder)
        os.chmod(folder, 0o700)
        self.secret("raw.key", chain.FACILITATOR_KEY)
        self.secret("main.pass", "correct horse battery staple")
        self.secret(
            "config.yaml",
            f'chains:\n  "eip155:1": {{ rpc: {json.dumps(urls)}, finality: 1 }}\n'
            "wallets:\n  main: { keystore: wallets/main.json, passphrase-file: main.pass, pay: [] }\n",
        )
        self.run("import", "main", "--key-file", str(self.folder / "raw.key"), "--light", "--passphrase-file",
                 str(self.folder / "main.pass"))

    def secret(self, name, text):
        path = self.folder / name
        path.write_text(text + "\n", encoding="utf-8")
        path.chmod(0o600)

    def run(self, *arguments, fails=False):
        command = [self.binary, "wallet", *arguments, "--state", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert (done.returncode != 0) == fails, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stderr if fails else done.stdout

    def approve(self, *arguments, **options):
        text = self.run("approve", "main", "--network", "ethereum", "--asset", "USDT", *arguments, "--json", **options)
        return text if options else json.loads(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--purser", required=True)
    binary = str(Path(parser.parse_known_args()[0].purser).resolve())
    chain.CHAIN_ID, chain.TOKEN = 1, "0xdAC17F958D2ee523a2206206994597C13D831ec7"
    chain.compile_token = compile_tether
    node = chain.Node()
    owner = Account.from_key(chain.FACILITATOR_KEY).address

    def allowance():
        words = "".join(address[2:].lower().zfill(64) for address in (owner, PERMIT2))
        answer = node.web3.eth.call({"to": chain.TOKEN, "data": ALLOWANCE + words})
        return int.from_bytes(answer, "big")

    def sent():
        return node.web3.eth.get_transaction_count(owner)

    with tempfile.TemporaryDirectory() as folder:
        wallet = Wallet(binary, folder, node.url)
        plan = wallet.approve("--amount", "25.00")
        assert plan["sent"] == [] and len(plan["transactions"]) == 1 and sent() == 0 and allowance() == 0
        print("ok  a dry run signs and sends nothing")

        done = wallet.approve("--amount", "25.00", "--send")
        assert len(done["sent"]) == 1 and node.succeeded(done["sent"][0])
        assert allowance() == 25_000_000 and sent() == 1
        assert node.web3.eth.get_transaction_receipt(done["sent"][0])["from"] == owner
        print("ok  an allowance is given and is the one that was asked for")

        done = wallet.approve("--amount", "7.5", "--send")
        assert len(done["sent"]) == 2 and all(node.succeeded(hash) for hash in done["sent"])
        assert allowance() == 7_500_000 and sent() == 3
        print("ok  Ethereum's USDT is set to zero first")

        assert wallet.approve("--amount", "7.5", "--send")["sent"] == [] and sent() == 3
        assert wallet.approve("--amount", "0", "--send")["done"] and allowance() == 0
        assert wallet.approve("--unlimited", "--send")["unlimited"] and allowance() == 2**256 - 1
        print("ok  taking back, and without a limit")

        before = sent()
        words = wallet.approve("--amount", "0", "--send", "--max-cost", "0.000000001", fails=True)
        assert "--max-cost" in words and sent() == before
        shown = json.loads(wallet.run("allowance", "main", "--network", "ethereum", "--asset", "USDT", "--json"))
        assert shown["allowance_units"] == str(2**256 - 1)
        print("ok  a transaction above the limit is not signed")

    for number, only_pending in [(71, False), (71, True)]:
        with tempfile.TemporaryDirectory() as folder:
            wallet = Wallet(binary, folder, node.url, Liar(node, number, only_pending).url)
            words = wallet.approve("--amount", "1", "--send", "--allow-gap", fails=True)
            assert "disagree" in words and sent() == before, words
    print("ok  a number that one of two endpoints makes up is not signed")
    with tempfile.TemporaryDirectory() as folder:
        wallet = Wallet(binary, folder, Liar(node, before + 3, only_pending=True).url)
        plan = wallet.approve("--amount", "0")
        assert plan["gap"] == 3 and plan["transactions"][0]["nonce"] == str(before + 3), plan
        words = wallet.approve("--amount", "0", "--send", fails=True)
        assert "--allow-gap" in words and sent() == before, words
    print("ok  a gap is shown, and is not signed across unasked")
    node.stop()


if __name__ == "__main__":
    main()
