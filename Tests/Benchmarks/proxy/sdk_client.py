"""The official Python client as a proxy: what paying costs where it is done today.

usage: sdk_client.py PORT UPSTREAM-PORT, by the interpreter of the interop suite's environment
"""

import sys

import httpx
import uvicorn
from eth_account import Account
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from x402 import x402Client
from x402.http.clients import x402_httpx_transport
from x402.mechanisms.evm import EthAccountSigner
from x402.mechanisms.evm.exact import register_exact_evm_client

port, upstream = int(sys.argv[1]), int(sys.argv[2])
signer = EthAccountSigner(Account.from_key("0x" + "11" * 32))
client = register_exact_evm_client(x402Client(), signer, "eip155:42161")
client.set_spend_controls({"allowed_assets": True, "max_amount_per_payment": False})
limits = httpx.Limits(max_connections=256, max_keepalive_connections=256)
session = httpx.AsyncClient(
    transport=x402_httpx_transport(client, httpx.AsyncHTTPTransport(limits=limits)), timeout=60
)


async def relay(request):
    answer = await session.get(f"http://127.0.0.1:{upstream}{request.url.path}?{request.url.query}")
    return Response(answer.content, answer.status_code)


app = Starlette(routes=[Route("/{path:path}", relay)])
uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
