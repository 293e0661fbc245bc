"""Refusals that would fill the books."""

import asyncio
import itertools
import json

from attack import AGENTS, attack

ENTRY = {
    "scheme": "exact", "network": "eip155:42161", "amount": "1", "asset": "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9",
    "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "maxTimeoutSeconds": 60,
    "extra": {"name": "USD₮0", "version": "1"},
}
# Each is refused for another reason.
CHANGES = (
    {"scheme": "other"}, {"network": "eip155:7"}, {"asset": "0x" + "11" * 20}, {"amount": "900000000"},
    {"payTo": "0x" + "00" * 20}, {"extra": {"name": "Other", "version": "1"}}, {"maxTimeoutSeconds": 1},
    {"amount": "-1"}, {"extra": {"name": "USD₮0", "version": "1", "decimals": 3}},
)


async def asking(reader, writer):
    """A seller that asks something else each time which is not paid."""
    try:
        for number in itertools.count():
            await reader.readuntil(b"\r\n\r\n")
            entry = ENTRY | CHANGES[number % len(CHANGES)] | {"resource": f"http://seller/{number}"}
            body = json.dumps({"x402Version": 1, "accepts": [entry | {"maxAmountRequired": entry["amount"]}]}).encode()
            writer.write(b"HTTP/1.1 402 Pay\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body))
            writer.write(body)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


@attack(
    "refusals in the books", roles=AGENTS, gateways='  peer: { url: "http://127.0.0.1:PEER" }', peer=asking
)
async def varied_refusals(attacker):
    """Challenges that are refused, for another reason, route, key and length of URL each time."""
    loop, numbers = asyncio.get_running_loop(), itertools.count()

    async def once(_):
        wire = await attacker.connect()
        try:
            for number in itertools.islice(numbers, 256):
                path = f"/peer/{number}/" + "x" * (number % 6000)
                await attacker.send(wire, attacker.head(path=path, idempotency_key=f"key-{number}"))
                if not await loop.sock_recv(wire, 1 << 18):
                    return
                attacker.count("refusals")
        finally:
            wire.close()

    await attacker.again_and_again(16, once)


@attack("refusals in the books", roles=AGENTS)
async def unpayable_purchases(attacker):
    """Purchases that a missing cap or a frozen budget refuses, each of another model."""
    loop, numbers = asyncio.get_running_loop(), itertools.count()

    async def once(_):
        wire = await attacker.connect()
        try:
            for number in itertools.islice(numbers, 256):
                body = json.dumps({"model": f"simulator/{number}", "messages": []}).encode()
                head = attacker.head(
                    method="POST", path="/sim/v1/chat/completions", content_type="application/json",
                    content_length=len(body))
                await attacker.send(wire, head + body)
                if not await loop.sock_recv(wire, 1 << 18):
                    return
                attacker.count("requests")
        finally:
            wire.close()

    await attacker.again_and_again(8, once)
