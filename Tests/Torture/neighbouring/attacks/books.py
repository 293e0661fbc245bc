"""What the books remember for each agent: prices, payments in doubt, rejections."""

import asyncio
import base64
import itertools
import json

from attack import CAPPED, attack

USDT = "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"
PAYEE = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"
GATEWAY = '  peer: { url: "http://127.0.0.1:PEER" }'


def encoded(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


def challenge(amount=1):
    """A seller's 402: one unit of USDT on Arbitrum."""
    entry = {
        "scheme": "exact", "network": "eip155:42161", "asset": USDT, "amount": str(amount), "payTo": PAYEE,
        "maxTimeoutSeconds": 60, "extra": {"name": "USD\u20ae0", "version": "1"},
    }
    header = encoded({"x402Version": 2, "resource": {"url": "http://peer/"}, "accepts": [entry]})
    return f"HTTP/1.1 402 Payment Required\r\npayment-required: {header}\r\ncontent-length: 0\r\n\r\n".encode()


def seller(paid):
    """A server that asks for one unit for everything; `paid(writer)` answers a payment."""

    async def serve(reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                if b"\r\npayment-signature:" in head or b"\r\nx-payment:" in head:
                    if await paid(writer):
                        return
                else:
                    writer.write(challenge())
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    return serve


async def settles(writer):
    report = encoded({"success": True, "transaction": "0x" + "ab" * 32, "network": "eip155:42161"})
    writer.write(f"HTTP/1.1 200 OK\r\npayment-response: {report}\r\ncontent-length: 2\r\n\r\nok".encode())


async def rejects(writer):
    writer.write(challenge())


async def vanishes(_):
    return True


async def buy(attacker, number, methods=("GET", "POST", "PUT")):
    """Buys ever new routes, by several methods, on some connections at once."""
    numbers, loop = itertools.count(), asyncio.get_running_loop()

    async def once(_):
        wire = await attacker.connect()
        try:
            turn = next(numbers)
            method = methods[turn % len(methods)]
            await attacker.send(wire, attacker.head(method, f"/peer/route/{turn}?q={turn}", content_length=0))
            answer = await asyncio.wait_for(loop.sock_recv(wire, 1 << 16), 30)
            attacker.count(f"answers {answer[9:12].decode(errors='replace')}")
        finally:
            wire.close()

    await attacker.again_and_again(number, once)


@attack("price memory", roles=(CAPPED,), gateways=GATEWAY, peer=seller(settles))
async def cheap_routes(attacker):
    """Purchases of one unit each on ever new routes, which push older prices out of a memory that is shared."""
    await buy(attacker, 8)


@attack("chain reader", roles=(CAPPED,), gateways=GATEWAY, peer=seller(vanishes))
async def dust_in_doubt(attacker):
    """Payments of one unit whose seller hangs up, so that each is in doubt."""
    await buy(attacker, 8)


@attack("rejections", roles=(CAPPED,), gateways=GATEWAY, peer=seller(rejects))
async def rejecting_routes(attacker):
    """A seller that rejects every payment, under ever new paths and with 64 calls at once."""
    await buy(attacker, 64)
