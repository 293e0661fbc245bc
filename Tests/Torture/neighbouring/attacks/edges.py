"""TLS handshakes, policy evaluation and name look-ups."""

import asyncio
import base64
import json
import os
import struct

from attack import AGENTS, STRANGER, attack

# A prime group's number, and the size of its public keys in bytes (RFC 7919).
FFDHE8192, FFDHE8192_BYTES = 0x0104, 1024
X25519, X25519_BYTES = 0x001D, 32


def extension(number, data):
    return struct.pack("!HH", number, len(data)) + data


def hello(group, size):
    """A TLS 1.3 client's hello with a key in one group (RFC 8446 section 4.1.2)."""
    key = b"\x01" + os.urandom(size - 1)
    share = struct.pack("!HH", group, len(key)) + key
    signatures = struct.pack("!5H", 0x0403, 0x0804, 0x0805, 0x0806, 0x0807)
    extensions = (
        extension(10, struct.pack("!HH", 2, group))
        + extension(13, struct.pack("!H", len(signatures)) + signatures)
        + extension(43, b"\x02\x03\x04")
        + extension(51, struct.pack("!H", len(share)) + share)
    )
    body = b"\x03\x03" + os.urandom(32) + b"\x20" + os.urandom(32) + b"\x00\x02\x13\x01\x01\x00"
    body += struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack("!H", len(message)) + message


async def replay(attacker, wire, flight):
    """Sends a hello and counts whether it was answered with a key or an alert."""
    await attacker.send(wire, flight)
    first = await asyncio.get_running_loop().sock_recv(wire, 1)
    attacker.count({b"\x16": "answered with a key", b"\x15": "answered with an alert"}.get(first, "not answered"))


async def hellos(attacker, group, size):
    flight = hello(group, size)

    async def once(_):
        wire = await attacker.connect(attacker.tls)
        try:
            await replay(attacker, wire, flight)
        finally:
            wire.close()

    await attacker.again_and_again(32, once)


@attack("TLS handshakes", roles=(STRANGER,))
async def expensive_hellos(attacker):
    """One hello again and again, whose answer would need arithmetic in a field of 8192 bits."""
    await hellos(attacker, FFDHE8192, FFDHE8192_BYTES)


@attack("TLS handshakes", roles=(STRANGER,))
async def replayed_hellos(attacker):
    """One ordinary hello again and again: each costs a key exchange and a signature."""
    await hellos(attacker, X25519, X25519_BYTES)


@attack("TLS handshakes", roles=AGENTS)
async def repeated_handshakes(attacker):
    """Handshakes with a good certificate, one after the other."""

    async def once(_):
        reader, writer = await attacker.connect_tls()
        try:
            writer.write(attacker.head())
            if not await reader.read(1):
                raise EOFError
        finally:
            writer.close()

    await attacker.again_and_again(16, once)


@attack(
    "TLS handshakes", roles=AGENTS,
    settings="forward: { terminate: [\"*.example:*\"], hosts: { house: [\"*.example:*\"] } }",
)
async def terminated_tunnels(attacker):
    """Tunnels whose TLS Purser ends, each to another host: a certificate and a handshake each."""
    flight, numbers = hello(X25519, X25519_BYTES), iter(range(1 << 60))

    async def once(_):
        wire = await attacker.connect()
        try:
            host = f"host-{next(numbers)}.example:443"
            head = f"CONNECT {host} HTTP/1.1\r\nhost: {host}\r\nproxy-authorization: Bearer {attacker.token}\r\n\r\n"
            await attacker.send(wire, head.encode())
            answer = await asyncio.get_running_loop().sock_recv(wire, 4096)
            attacker.count(answer.split(b" ")[1].decode() if answer else "closed")
            if b" 200 " in answer[:16]:
                await replay(attacker, wire, flight)
        finally:
            wire.close()

    await attacker.again_and_again(16, once)


PATTERNS = ["/**/private/*", "/v1/**/x*y*z", "**a*a*a*a*a*a*a*a*b", "/v1/private/**"]
RULES = "version: 1\ndefault: refuse\nrules:\n  - { name: simulator, when: { gateway: sim }, then: approve }\n" + "".join(
    f"  - {{ name: r{number}, when: {{ gateway: dear, path: \"{PATTERNS[number % 4]}\" }}, then: refuse }}\n"
    for number in range(30)
)


async def ask_for_money(reader, writer):
    """Answers every request with a good challenge, 64 entries long."""
    entry = {
        "scheme": "exact", "network": "eip155:42161", "asset": "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9",
        "amount": "10000", "payTo": "0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c", "maxTimeoutSeconds": 300,
    }
    challenge = base64.b64encode(json.dumps({"x402Version": 2, "accepts": [entry] * 64}).encode()).decode()
    answer = f"HTTP/1.1 402 Payment Required\r\npayment-required: {challenge}\r\ncontent-length: 0\r\n\r\n".encode()
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(answer)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


@attack(
    "policy evaluation", roles=AGENTS, policy=RULES, peer=ask_for_money,
    gateways="  dear: { url: \"http://127.0.0.1:PEER\" }",
)
async def long_paths(attacker):
    """Paid requests whose paths are long, beside thirty rules about paths."""
    loop = asyncio.get_running_loop()
    requests = [
        attacker.head(path="/dear/" + text * (length // len(text))) for text in ("a", "a/") for length in (8000, 57000)
    ]

    async def once(index):
        wire = await attacker.connect()
        try:
            while True:
                await attacker.send(wire, requests[index % len(requests)])
                answer = b""
                while b"}" not in answer.partition(b"\r\n\r\n")[2]:
                    if not (more := await loop.sock_recv(wire, 1 << 16)):
                        raise EOFError
                    answer += more
                attacker.count(answer.partition(b'"code":"')[2].partition(b'"')[0].decode() or "no code")
        finally:
            wire.close()

    await attacker.again_and_again(8, once)


@attack(
    "threads", roles=AGENTS, settings="forward: { hosts: { house: [\"*.silent.example:*\"] } }", silent_names=True
)
async def silent_names(attacker):
    """Tunnels to names whose name server takes questions and never answers."""
    numbers = iter(range(1 << 60))

    async def once(_):
        wire = await attacker.connect()
        try:
            host = f"host-{next(numbers)}.silent.example:443"
            head = f"CONNECT {host} HTTP/1.1\r\nhost: {host}\r\nproxy-authorization: Bearer {attacker.token}\r\n\r\n"
            await attacker.send(wire, head.encode())
            answer = await asyncio.get_running_loop().sock_recv(wire, 4096)
            attacker.count(answer.split(b" ")[1].decode() if answer else "closed")
        finally:
            wire.close()

    await attacker.again_and_again(40, once)
