"""Loads and what they come to."""

import pathlib
import re
import resource
import select
import socket
import statistics
import subprocess
import sys
import time
from urllib.parse import urlsplit

# Requests differ as those of many agents do; a price is learned for one query, so there it is the body that differs.
SCRIPTS = {"/paid": "distinct.lua", "/learned": "bodies.lua"}
UNITS = {"us": 1, "ms": 1e3, "s": 1e6}
BULK = 64 << 20


def wrk(url, headers, connections, seconds, *, identical=False):
    """Requests, their rate, and the latencies' median and 99th percentile in µs.

    Payable requests differ from each other unless they are to be `identical`.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    for path, script in SCRIPTS.items():
        if url.endswith(path):
            command += ["-s", str(pathlib.Path(__file__).with_name(script))]
    for header in headers:
        command += ["-H", header]
    command += [url, "--", "identical"] if identical else [url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text) or re.search(r"Socket errors: (.*)", text)
    if bad:
        sys.exit(f"bench: {url}: {bad.group(0)}")
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    return requests, float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)), latency(text, "50%"), latency(text, "99%")


def agents(url, tokens, count, seconds):
    """Starts a load in which each of `count` agents has a connection; `tokens` is a file of their tokens."""
    script = pathlib.Path(__file__).with_name("tokens.lua")
    command = ["wrk", f"-t{count}", f"-c{count}", f"-d{seconds}s", "--latency", "--timeout", "10s", "-s", str(script)]
    return subprocess.Popen([*command, url, "--", str(tokens)], stdout=subprocess.PIPE, text=True)


def finish(process):
    """The latencies' median and 99th percentile in µs of a load that comes to its end."""
    text = process.communicate()[0]
    if process.returncode or "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"bench: {text}")
    return latency(text, "50%"), latency(text, "99%")


def latency(text, label):
    """A latency in µs from what wrk prints."""
    value, suffix = re.search(rf"{label}\s+([\d.]+)(us|ms|s)", text).groups()
    return float(value) * UNITS[suffix]


def curl(url, headers, *options):
    """Seconds that one transfer took."""
    command = ["curl", "-s", "-S", "-f", "-o", "/dev/null", "-w", "%{time_total}", *options, url]
    for header in headers:
        command += ["-H", header]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def connect(url):
    parts = urlsplit(url)
    wire = socket.create_connection((parts.hostname, parts.port))
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wire


def request(url, headers):
    parts = urlsplit(url)
    lines = [f"GET {parts.path} HTTP/1.1", f"host: {parts.netloc}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def first_events(url, headers, count):
    """The median time from a request on a kept connection to the first byte of an event, in µs."""
    wire, text, times = connect(url), request(url, headers), []
    for _ in range(count):
        start = time.perf_counter()
        wire.sendall(text)
        seen = b""
        while b"data:" not in seen:
            seen += wire.recv(65536)
        times.append((time.perf_counter() - start) * 1e6)
        while not seen.endswith(b"0\r\n\r\n"):
            seen += wire.recv(65536)
    wire.close()
    return statistics.median(times[count // 10 :])


def crowd(url, headers, count, is_done):
    """`count` connections that have had an answer and stay open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    text, wires = request(url, headers), []
    while len(wires) < count:
        batch = [connect(url) for _ in range(min(100, count - len(wires)))]
        for wire in batch:
            wire.sendall(text)
        seen = {wire: b"" for wire in batch}
        while waiting := [wire for wire in batch if not is_done(seen[wire])]:
            poll = select.poll()
            for wire in waiting:
                poll.register(wire, select.POLLIN)
            by_number = {wire.fileno(): wire for wire in waiting}
            for number, _ in poll.poll(10_000):
                got = by_number[number].recv(65536)
                if not got:
                    sys.exit(f"bench: {url}: closed a connection after {seen[by_number[number]][:200]!r}")
                seen[by_number[number]] += got
        wires += batch
    return wires
