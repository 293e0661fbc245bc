"""A seller that speaks HTTP/2: the official middleware behind nginx, whose frames and compression nobody here wrote.

Paid calls, large bodies and a live stream go over few connections, all of them HTTP/2, and chain and books agree.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from eth_account import Account

from certificates import certify
from chain import Node
from checks import Checks, run_suite
from clients import CAPS, FUNDS
from facilitator import Facilitator
from gateway import EVENTS, PRICES, SELLER, Gateway
from purser import Purser
from service import Service

PARALLEL = 24
STREAMS = 8
REQUESTS = 30


class Front:
    """nginx in front of an application: TLS with HTTP/2 outside, HTTP/1.1 inside, and what it was spoken to in each request.

    It allows few streams at a time and ends each connection after some requests, as it would after many.
    """

    def __init__(self, directory):
        self.port, self.process = free_port(), None
        self.url = f"https://localhost:{self.port}"
        self.directory = directory / "nginx"
        self.directory.mkdir()

    def start(self, behind, certificate, key):
        folder = self.directory
        paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"""daemon off; master_process off; error_log {folder}/error.log; pid {folder}/pid;
events {{ worker_connections 512; }}
http {{ access_log off; client_body_temp_path {folder}/body; {paths} client_max_body_size 0;
    server {{ listen 127.0.0.1:{self.port} ssl http2; ssl_certificate {certificate}; ssl_certificate_key {key};
        http2_max_concurrent_streams {STREAMS}; keepalive_requests {REQUESTS};
        location / {{ proxy_pass {behind}; proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
            proxy_set_header Connection ""; proxy_set_header Host $http_host;
            proxy_set_header Seen-Protocol $server_protocol; proxy_set_header Seen-Connection $connection; }} }} }}"""
        )
        log = (folder / "out").open("w")
        self.process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf")], stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                words = (folder / "out").read_text()
                assert self.process.poll() is None and time.monotonic() < deadline, f"nginx did not start: {words}"
                time.sleep(0.05)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Suite(Checks):
    """The seller, the payer in front of it, and what was bought so far."""

    def __init__(self, binary, directory):
        super().__init__()
        self.keys = {wallet: Account.create().key for wallet in ("main", "spare")}
        self.payers = [Account.from_key(key).address for key in self.keys.values()]
        self.node = Node()
        self.facilitator = Facilitator(self.node.url)
        self.facilitator_service, self.seller_service, self.front = Service(), Service(), Front(directory)
        self.facilitator_service.start(self.facilitator.app)
        self.gateway = Gateway(self.front.url, self.facilitator_service.url)
        self.seller_service.start(self.gateway.app)
        trusted, certificate, key = certify(directory)
        self.front.start(self.seller_service.url, certificate, key)
        self.node.mint({address: FUNDS for address in self.payers})
        settings = [f"trust-file: {trusted}"]
        self.payer = Purser(binary, directory, self.front.url, self.keys, settings=settings)
        self.client = httpx.Client(timeout=60, limits=httpx.Limits(max_connections=None))
        self.bought = []

    @property
    def paid_calls(self):
        return len(self.bought)

    def buy(self, method, path, **options):
        self.bought.append(path)
        answer = self.client.request(method, self.payer.url + path, headers=self.payer.headers("scout"), **options)
        assert answer.status_code == 200, f"{method} {path} answered {answer.status_code}: {answer.text[:300]}"
        return answer

    def pays(self):
        answer = self.buy("GET", "/weather")
        assert answer.json()["weather"] == "sunny" and answer.headers["purser-outcome"] == "settled"

    def uploads(self):
        body = os.urandom(3 << 20)
        for content in (body, iter([body[:1000], body[1000:]])):
            answer = self.buy("POST", "/digest", content=content).json()
            assert answer == {"length": len(body), "sha256": hashlib.sha256(body).hexdigest()}, f"it got {answer}"

    def streams(self):
        self.bought.append("/live")
        times = []
        with self.client.stream("GET", self.payer.url + "/live", headers=self.payer.headers("scout")) as answer:
            assert answer.status_code == 200, f"it answered {answer.status_code}"
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    times.append(time.monotonic())
        assert len(times) >= EVENTS, f"{len(times)} events came"
        assert times[-1] - times[0] > 0.5, "the events came at once"

    def side_by_side(self):
        def call(number):
            return self.buy("POST", "/digest", content=f"call {number}".encode()).json()["length"]

        with ThreadPoolExecutor(PARALLEL) as pool:
            lengths = list(pool.map(call, range(PARALLEL)))
        assert lengths == [len(f"call {number}") for number in range(PARALLEL)]

    def few_connections(self):
        seen = [request["headers"] for request in self.gateway.requests]
        protocols = {headers["seen-protocol"][0] for headers in seen}
        assert protocols == {"HTTP/2.0"}, f"nginx was spoken to in {protocols}"
        # As many as the streams at once ask for, on each event loop, and as often as nginx ended one.
        most = (os.cpu_count() or 1) * (PARALLEL // STREAMS + 1) + len(seen) // REQUESTS + 1
        used = {headers["seen-connection"][0] for headers in seen}
        assert 1 < len(used) <= most, f"{len(used)} connections for {len(seen)} requests"

    def books_and_chain_agree(self):
        spent = sum(PRICES[path] for path in self.bought)
        left = sum(self.node.balance(address) for address in self.payers)
        assert 2 * FUNDS - left == spent == self.node.balance(SELLER), f"{2 * FUNDS - left} left the wallets, not {spent}"
        settled = [payment for payment in self.payer.payments() if payment.settled]
        assert sum(payment.amount for payment in settled) == spent and len(settled) == len(self.bought)
        self.payer.command("ledger", "verify")

    def run(self):
        print("Interop, HTTP/2: x402 SDK sells behind nginx; py-evm", flush=True)
        with self.check("the payer starts"):
            self.payer.start({"scout": ("main", CAPS)})
        if self.failures:
            return
        self.check_all(
            [
                ("a call is paid", self.pays),
                ("3 MiB go up, with a length and in chunks", self.uploads),
                ("events stream as they are sent", self.streams),
                (f"{PARALLEL} paid calls side by side", self.side_by_side),
                ("all of it was HTTP/2, on few connections", self.few_connections),
                ("chain and books agree to the unit", self.books_and_chain_agree),
            ]
        )

    def stop(self):
        for part in (self.payer, self.front, self.seller_service, self.facilitator_service, self.node):
            part.stop()


if __name__ == "__main__":
    if not shutil.which("nginx"):
        sys.exit("Interop, HTTP/2: nginx is missing; `make interop` installs it")
    run_suite(Suite, "http2", __doc__)
