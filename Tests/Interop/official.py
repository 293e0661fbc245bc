"""The official SDK's client in the payer's place: it shows that the suite itself is sound, without Purser.

`run --payer official` sends the same calls through it. It keeps no caps of Purser's kind, so that those are left out.
"""

import httpx
from eth_account import Account
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route
from x402 import x402Client
from x402.http.clients import x402_httpx_transport
from x402.mechanisms.evm import EthAccountSigner
from x402.mechanisms.evm.exact import register_exact_evm_client
from x402.mechanisms.evm.exact.v1.client import ExactEvmSchemeV1

from chain import NETWORK, TOKEN
from facilitator import V1_NETWORK
from gateway import SELLER
from purser import Payment
from service import Service

METHODS = ["GET", "POST"]


class Official:
    """A reverse proxy over the SDK's httpx transport, with the same outside as `Purser`."""

    name = "the official client"
    keeps_caps = False

    def __init__(self, gateway, keys):
        self.gateway = gateway
        self.keys = keys
        self.books = []
        self.service = Service()
        self.url = self.service.url

    def start(self, agents):
        self.clients = {agent: self._client(agent, self.keys[wallet]) for agent, (wallet, _) in agents.items()}
        self.service.start(Starlette(routes=[Route("/{path:path}", self._relay, methods=METHODS)]))

    def _client(self, agent, key):
        signer = EthAccountSigner(Account.from_key(key))
        client = register_exact_evm_client(x402Client(), signer, NETWORK)
        client.register_v1(V1_NETWORK, ExactEvmSchemeV1(signer))
        client.set_spend_controls({"allowed_assets": True, "max_amount_per_payment": False})
        client.on_after_payment_creation(lambda context: self._book(agent, context.payment_payload.payload))
        return httpx.AsyncClient(transport=x402_httpx_transport(client), timeout=60)

    def _book(self, agent, payload):
        signed = payload["authorization"]
        number = str(len(self.books))
        amount = int(signed["value"])
        row = Payment(number, agent, "settled", signed["nonce"].lower(), amount, TOKEN, NETWORK, SELLER)
        self.books.append(row)

    async def _relay(self, request):
        dropped = ("host", "agent", "content-length", "transfer-encoding", "connection")
        headers = {name: value for name, value in request.headers.items() if name not in dropped}
        client = self.clients[request.headers["agent"]]
        url = self.gateway + request.url.path
        outgoing = client.build_request(request.method, url, headers=headers, content=await request.body())
        answer = await client.send(outgoing, stream=True)
        kept = {name: value for name, value in answer.headers.items() if name != "transfer-encoding"}
        return StreamingResponse(answer.aiter_raw(), answer.status_code, headers=kept)

    def headers(self, agent):
        return {"agent": agent}

    def payments(self):
        return list(self.books)

    def secrets(self):
        return []

    def log_tail(self):
        return ""

    def stop(self):
        self.service.stop()
