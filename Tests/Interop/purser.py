"""The `purser` binary as the suite's payer: its state directory, its daemon, its commands and its books."""

import json
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account

COMMAND_SECONDS = 60
PASSPHRASE = "correct horse battery staple"


@dataclass(frozen=True)
class Payment:
    """One row of the payer's books, in the suite's words; `nonce` is lower-case 0x-hex, `amount` atomic units."""

    id: str
    agent: str
    state: str
    nonce: str
    amount: int
    asset: str
    network: str
    pay_to: str

    @staticmethod
    def from_row(row):
        """Reads what `purser payment list --json` prints; the only place that knows its member names."""
        return Payment(
            id=str(row["id"]),
            agent=row["agent"],
            state=row["state"],
            nonce=(row.get("nonce") or "").lower(),
            amount=int(row.get("amount") or 0),
            asset=row.get("asset") or "",
            network=row.get("network") or "",
            pay_to=row.get("payTo") or "",
        )

    @property
    def settled(self):
        return self.state in ("settled", "confirmed")

    @property
    def refused(self):
        return self.state == "refused"


class Purser:
    """A daemon on a state directory of its own, whose wallets were made by eth-account.

    `keys` maps wallet names to private keys, `chains` networks to the URLs of their nodes, `approvals` wallets to the
    token for which they sign a sponsored approval; `more` is what every gateway's entry has
    besides its URL. `gateways` maps further gateways' names to their URLs; `settings` are lines that the configuration
    has besides.
    """

    name = "purser"
    keeps_caps = True

    def __init__(
        self,
        binary,
        directory,
        gateway,
        keys,
        pay="eip155:42161/USDT",
        chains=None,
        approvals=None,
        more="",
        gateways=None,
        settings=(),
    ):
        self.binary = str(Path(binary).resolve())
        self.state = Path(directory) / "state"
        self.log = Path(directory) / "purser.log"
        self.tokens = {}
        self.daemon = None
        self._write_state(gateway, keys, pay, chains or {}, approvals or {}, more, gateways or {}, settings)
        self.url = f"http://127.0.0.1:{self.port}/sdk"

    def start(self, agents):
        """Starts the daemon, then adds the agents to it: a map of names to (wallet name, caps)."""
        self._serve()
        for agent, (wallet, caps) in agents.items():
            added = self.json("agent", "add", agent, "--wallet", wallet, *_caps(caps))
            self.tokens[agent] = added["token"]

    def _write_state(self, gateway, keys, pay, chains, approvals, more, gateways, settings):
        (self.state / "wallets").mkdir(parents=True, mode=0o700)
        self.state.chmod(0o700)
        self.port = _free_port()
        lines = [f"listen: 127.0.0.1:{self.port}", "gateways:"]
        for name, url in {"sdk": gateway, **gateways}.items():
            lines.append(f"  {name}: {{ url: {url}{more and ', ' + more} }}")
        lines.append("wallets:")
        # One keystore of each kind that eth-account makes, with few rounds: opening them is tested, not guessing.
        kinds = {"scrypt": 4096, "pbkdf2": 65536}
        for (wallet, key), (kind, rounds) in zip(keys.items(), kinds.items(), strict=True):
            keystore = Account.encrypt(key, PASSPHRASE, kdf=kind, iterations=rounds)
            _write(self.state / "wallets" / f"{wallet}.json", json.dumps(keystore))
            _write(self.state / f"{wallet}.pass", PASSPHRASE + "\n")
            entry = f"keystore: wallets/{wallet}.json, passphrase-file: {wallet}.pass"
            if wallet in approvals:
                entry += f', sponsored-approvals: ["{approvals[wallet]}"]'
            lines.append(f'  {wallet}: {{ {entry}, pay: ["{pay}"] }}')
        if chains:
            lines.append("chains:")
            lines += [f'  "{network}": {{ rpc: ["{url}"], finality: 1 }}' for network, url in chains.items()]
        lines += settings
        _write(self.state / "config.yaml", "\n".join(lines) + "\n")

    def _serve(self):
        with self.log.open("wb") as log:
            command = [self.binary, "serve", "--state", str(self.state)]
            self.daemon = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert self.daemon.poll() is None, f"purser serve ended at once:\n{self.log_tail()}"
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"purser serve did not listen within 30 s:\n{self.log_tail()}")

    def restart(self):
        """Ends the daemon and serves the same state again, on the same port; the log begins anew."""
        self.stop()
        self._serve()

    def command(self, *arguments):
        """What a command printed; a failure is an assertion that shows its words."""
        command = [self.binary, *arguments, "--state", str(self.state)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=COMMAND_SECONDS, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, f"purser {' '.join(arguments)} exited {done.returncode}: {done.stderr.strip()}"
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.command(*arguments, "--json"))

    def headers(self, agent):
        return {"authorization": f"Bearer {self.tokens[agent]}"}

    def payments(self):
        return [Payment.from_row(row) for row in self.json("payment", "list")]

    def create_wallet(self, name):
        """A keystore made by the binary, and the passphrase that opens it."""
        file = self.state / f"{name}.pass"
        _write(file, PASSPHRASE + "\n")
        self.command("wallet", "create", name, "--passphrase-file", str(file))
        return json.loads((self.state / "wallets" / f"{name}.json").read_text()), PASSPHRASE

    def secrets(self):
        return [PASSPHRASE, *self.tokens.values()]

    def log_tail(self):
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def stop(self):
        if self.daemon is None or self.daemon.poll() is not None:
            return
        self.daemon.send_signal(signal.SIGTERM)
        try:
            self.daemon.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
            raise AssertionError("purser serve did not end within 15 s of SIGTERM") from None


def _caps(caps):
    return [word for window, dollars in caps.items() for word in ("--cap", f"{window}={dollars}")]


def _write(path, text):
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
