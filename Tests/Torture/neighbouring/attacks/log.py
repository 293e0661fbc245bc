"""Lines of the log, while nobody reads it."""

import asyncio

from attack import AGENTS, attack


@attack("log output", roles=AGENTS, stalls_log=True)
async def stalled_log(attacker):
    """Paid requests, which are refused to an agent without a cap, as fast as they are answered."""
    body = b'{"model":"simulator/light","messages":[]}'
    head = attacker.head("POST", "/sim/v1/chat/completions", content_length=len(body))
    loop = asyncio.get_running_loop()

    async def once(_):
        wire = await attacker.connect()
        try:
            while True:
                await attacker.send(wire, head + body)
                if not await loop.sock_recv(wire, 1 << 16):
                    break
                attacker.count("answers")
        finally:
            wire.close()

    await attacker.again_and_again(16, once)
