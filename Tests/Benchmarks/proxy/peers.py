"""What is measured and what it is measured against: the upstreams, nginx, haproxy, the official client and purser."""

import base64
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
BODY = "x" * 1024
ACCEPT = {
    "scheme": "exact",
    "network": "eip155:42161",
    "amount": "300",
    "asset": "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9",
    "payTo": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "maxTimeoutSeconds": 120,
    "extra": {"name": "USD\u20ae0", "version": "1"},
}


def b64(value):
    return base64.b64encode(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()).decode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, what):
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"bench: {what} did not start listening on port {port}")


def cpu_seconds(pids):
    """utime + stime of processes."""
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def resident(pids):
    """Resident memory of processes in MiB."""
    pages = sum(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * PAGE / (1 << 20)


def children(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def nginx_head(folder, name):
    return f"""worker_processes 1; daemon off; error_log {folder}/{name}.log; pid {folder}/{name}.pid;
events {{ worker_connections 16384; }}
http {{ access_log off; keepalive_requests 10000000; keepalive_timeout 600; tcp_nodelay on; client_max_body_size 0;
    client_body_temp_path {folder}/{name}-body; proxy_temp_path {folder}/{name}-proxy;
    fastcgi_temp_path {folder}/{name}-f; uwsgi_temp_path {folder}/{name}-u; scgi_temp_path {folder}/{name}-s;
"""


class Peers:
    """Everything that runs during a measurement, on ports of its own."""

    def __init__(self, purser, folder, sdk=None):
        self.folder, self.binary = folder, purser
        self.upstream, self.streams, self.secure = free_port(), free_port(), free_port()
        self.ports = {"nginx": free_port(), "haproxy": free_port(), "purser": free_port()}
        self.running = {}
        self.token = None
        self._certify()
        self._upstream_nginx()
        self._nginx()
        self._haproxy()
        self._purser(purser)
        for name, command in {
            "upstream": ["nginx", "-c", str(folder / "upstream.conf")],
            "streams": [sys.executable, str(HERE / "streams.py"), str(self.streams)],
            "nginx": ["nginx", "-c", str(folder / "nginx.conf")],
            "haproxy": ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")],
            "purser": [purser, "serve", "--state", str(folder / "state")],
        }.items():
            log = (folder / f"{name}.out").open("w")
            self.running[name] = subprocess.Popen(command, stdout=log, stderr=log)
        for name, port in {"upstream": self.upstream, "streams": self.streams, **self.ports}.items():
            wait_for(port, name)
        if sdk:
            self.ports["sdk"] = free_port()
            command = [str(sdk), str(HERE / "sdk_client.py"), str(self.ports["sdk"]), str(self.upstream)]
            log = (folder / "sdk.out").open("w")
            self.running["sdk"] = subprocess.Popen(command, stdout=log, stderr=log)
            wait_for(self.ports["sdk"], "the official client")
        time.sleep(0.5)

    def pids(self, name):
        """The processes whose CPU counts for a proxy."""
        process = self.running[name].pid
        return children(process) if name == "nginx" else [process]

    def url(self, name, path):
        """A path of the upstream through a proxy; `direct` is the upstream itself."""
        upstream = self.streams if path.startswith(("/sse", "/held", "/sink")) else self.upstream
        if name == "direct":
            return f"http://127.0.0.1:{upstream}{path}"
        if name == "purser":
            return f"http://127.0.0.1:{self.ports['purser']}/{'streams' if upstream == self.streams else 'up'}{path}"
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def secure_url(self, version, path):
        """A path of the upstream behind TLS, by a version of HTTP."""
        return f"http://127.0.0.1:{self.ports['purser']}/secure{version}{path}"

    def secure_connections(self):
        """How many connections the upstream behind TLS has."""
        command = ["ss", "-Htn", "state", "established", "sport", "=", f":{self.secure}"]
        return len(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())

    def upstream_counts(self):
        """Connections and requests that the upstreams have had, this question included."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.upstream}/counts") as answer:
            accepted, _, requests = answer.read().split(b"\n")[2].split()
        return int(accepted), int(requests)

    def tokens(self, count):
        """A file with the tokens of so many agents, which have no cap."""
        file = self.folder / "tokens"
        lines = []
        for number in range(count):
            command = [self.binary, "agent", "add", f"agent{number}", "--state", str(self.folder / "state"), "--json"]
            added = subprocess.run(command, check=True, capture_output=True, text=True)
            lines.append(json.loads(added.stdout)["token"] + "\n")
        file.write_text("".join(lines))
        return file

    def headers(self, name):
        return [*self.token_header(), "Purser-Price: learned"] if name == "purser" else []

    def token_header(self):
        """What names the agent; with that alone the price is asked each time."""
        return [f"Authorization: Bearer {self.token}"]

    def _certify(self):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-keyout", str(self.folder / "key.pem"), "-out", str(self.folder / "cert.pem"), "-days", "2"]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        subprocess.run(command, check=True, capture_output=True)

    def _upstream_nginx(self):
        challenge = b64(
            {
                "x402Version": 2,
                "error": "Payment required",
                "resource": {"url": f"http://127.0.0.1:{self.upstream}/paid"},
                "accepts": [ACCEPT],
            }
        )
        settled = b64({"success": True, "transaction": "0x" + "ab" * 32, "network": "eip155:42161"})
        with (self.folder / "bulk").open("wb") as file:
            file.truncate(64 << 20)
        (self.folder / "upstream.conf").write_text(
            nginx_head(self.folder, "upstream")
            + f"""sendfile on;
    server {{ listen 127.0.0.1:{self.upstream} backlog=4096;
        location /plain {{ default_type text/plain; return 200 "{BODY}"; }}
        location /bulk {{ root {self.folder}; }}
        location /counts {{ stub_status; }}
        location ~ ^/(paid|learned)$ {{ default_type text/plain; error_page 402 = @challenge;
            if ($http_payment_signature = "") {{ return 402; }}
            add_header PAYMENT-RESPONSE "{settled}"; return 200 "{BODY}"; }}
        location @challenge {{ default_type application/json; add_header PAYMENT-REQUIRED "{challenge}" always;
            return 402 "{{}}"; }}
    }}
    server {{ listen 127.0.0.1:{self.secure} ssl http2 backlog=4096;
        ssl_certificate {self.folder}/cert.pem; ssl_certificate_key {self.folder}/key.pem;
        location /plain {{ default_type text/plain; return 200 "{BODY}"; }}
        location /bulk {{ root {self.folder}; }}
    }} }}"""
        )

    def _nginx(self):
        common = 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off; '
        (self.folder / "nginx.conf").write_text(
            nginx_head(self.folder, "nginx")
            + f"""
    upstream up {{ server 127.0.0.1:{self.upstream}; keepalive 256; keepalive_requests 10000000; }}
    upstream streams {{ server 127.0.0.1:{self.streams}; keepalive 256; }}
    server {{ listen 127.0.0.1:{self.ports["nginx"]} backlog=4096;
        location / {{ proxy_pass http://up; {common} }}
        location ~ ^/(sse|held|sink) {{ proxy_pass http://streams; proxy_buffering off; proxy_read_timeout 600; {common} }}
    }} }}"""
        )

    def _haproxy(self):
        (self.folder / "haproxy.cfg").write_text(
            f"""global
    nbthread 1
    maxconn 9000
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    http-reuse always
frontend front
    bind 127.0.0.1:{self.ports["haproxy"]} backlog 4096
    use_backend streams if {{ path_beg /sse /held /sink }}
    default_backend up
backend up
    server up 127.0.0.1:{self.upstream}
backend streams
    server streams 127.0.0.1:{self.streams}
"""
        )

    def _purser(self, purser):
        state = self.folder / "state"
        (state / "wallets").mkdir(parents=True)
        state.chmod(0o700)
        shutil.copy(ROOT / "Wallets/development/payer.json", state / "wallets/main.json")
        (state / "main.pass").write_text("purser\n")
        (state / "main.pass").chmod(0o600)
        (state / "config.yaml").write_text(
            f"""listen: 127.0.0.1:{self.ports["purser"]}
gateways:
  up: {{ url: "http://127.0.0.1:{self.upstream}" }}
  streams: {{ url: "http://127.0.0.1:{self.streams}" }}
  secure1: {{ url: "https://localhost:{self.secure}", http2: false }}
  secure2: {{ url: "https://localhost:{self.secure}" }}
trust-file: {self.folder}/cert.pem
wallets:
  main: {{ keystore: wallets/main.json, passphrase-file: main.pass, pay: ["eip155:42161/USDT"] }}
"""
        )
        caps = [word for cap in ("request=1", "day=1000000", "lifetime=1000000") for word in ("--cap", cap)]
        added = subprocess.run(
            [purser, "agent", "add", "bench", *caps, "--state", str(state), "--json"],
            check=True,
            capture_output=True,
            text=True,
        )
        self.token = json.loads(added.stdout)["token"]

    def stop(self):
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
