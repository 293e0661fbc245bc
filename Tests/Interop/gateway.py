"""A gateway that charges by x402: the official FastAPI middleware, and what it cannot do on top of the SDK's parts.

The middleware holds an answer back until it has settled and speaks version 2 only. So the live stream and the
version 1 route write their own challenge, but every verdict on a payment is the official facilitator's.
"""

import asyncio
import hashlib
import json
import time

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from x402 import x402ResourceServer
from x402.http import FacilitatorConfig, HTTPFacilitatorClient
from x402.http.middleware.fastapi import payment_middleware
from x402.http.types import PaymentOption, RouteConfig
from x402.http.utils import (
    decode_payment_signature_header,
    encode_payment_required_header,
    encode_payment_response_header,
)
from x402.mechanisms.evm.exact import register_exact_evm_server
from x402.schemas import PaymentRequired, PaymentRequirements, ResourceInfo
from x402.schemas.v1 import PaymentRequiredV1, PaymentRequirementsV1

from chain import NETWORK, TOKEN, TOKEN_NAME, TOKEN_VERSION
from facilitator import V1_NETWORK

SELLER = "0x90F8bf6A479f320ead074411a4B0e7944Ea8c9C1"
DOMAIN = {"name": TOKEN_NAME, "version": TOKEN_VERSION}
TIMEOUT = 120

# Atomic units. All differ, and so do the sums of any few of them, so that a wrong charge cannot hide in a total.
PRICES = {
    "/weather": 10_000,
    "/digest": 23_001,
    "/stream": 14_007,
    "/live": 12_103,
    "/v1/report": 17_909,
    "/expensive": 500_000,
}
EVENTS = 8
EVENT_INTERVAL = 0.3

PAYMENT_HEADERS = ("payment-signature", "x-payment")


class Gateway:
    """The application at `url`, and a record of every request as it arrived."""

    def __init__(self, url, facilitator):
        self.url = url
        self.requests = []
        self.challenges = {}
        self.facilitator = HTTPFacilitatorClient(FacilitatorConfig(url=facilitator))
        app = FastAPI()
        server = register_exact_evm_server(x402ResourceServer(self.facilitator), NETWORK)
        app.middleware("http")(payment_middleware(self._routes(), server))
        app.get("/weather")(self._weather)
        app.post("/digest")(self._digest)
        app.get("/stream")(self._stream)
        app.get("/expensive")(self._weather)
        app.get("/live")(self._live)
        app.post("/v1/report")(self._report)
        app.get("/free")(self._free)
        self.app = self._recording(app)

    def paid(self):
        """The recorded requests that carried a payment."""
        return [one for one in self.requests if any(name in one["headers"] for name in PAYMENT_HEADERS)]

    def _routes(self):
        paths = ["GET /weather", "POST /digest", "GET /stream", "GET /expensive"]
        return {
            path: RouteConfig(accepts=self._option(path.split()[1]), mime_type="application/json") for path in paths
        }

    def _option(self, path):
        price = {"amount": str(PRICES[path]), "asset": TOKEN, "extra": DOMAIN}
        return PaymentOption(scheme="exact", pay_to=SELLER, price=price, network=NETWORK, max_timeout_seconds=TIMEOUT)

    def _recording(self, app):
        """Wraps `app` in plain ASGI: what came in, and the challenge that went out, byte for byte."""

        async def wrapped(scope, receive, send):
            if scope["type"] != "http":
                return await app(scope, receive, send)
            headers = {}
            for name, value in scope["headers"]:
                headers.setdefault(name.decode().lower(), []).append(value.decode("latin-1"))
            path = scope["path"]
            self.requests.append({"time": time.time(), "method": scope["method"], "path": path, "headers": headers})

            async def watched(message):
                if message["type"] == "http.response.start" and message["status"] == 402:
                    for name, value in message["headers"]:
                        if name.lower() == b"payment-required":
                            self.challenges[path] = value.decode()
                await send(message)

            await app(scope, receive, watched)

        return wrapped

    # Behind the official middleware.

    async def _weather(self):
        return {"weather": "sunny", "temperature": 21}

    async def _digest(self, request: Request):
        body = await request.body()
        return {"length": len(body), "sha256": hashlib.sha256(body).hexdigest()}

    async def _stream(self):
        return StreamingResponse(self._events(0), media_type="text/event-stream")

    async def _free(self):
        return {"free": True}

    async def _events(self, interval):
        for index in range(EVENTS):
            yield f"data: {json.dumps({'index': index, 'sent': time.time()})}\n\n"
            await asyncio.sleep(interval)
        yield "data: [DONE]\n\n"

    # Beside it.

    async def _live(self, request: Request):
        requirements = PaymentRequirements(
            scheme="exact",
            network=NETWORK,
            asset=TOKEN,
            amount=str(PRICES["/live"]),
            pay_to=SELLER,
            max_timeout_seconds=TIMEOUT,
            extra=DOMAIN,
        )
        header = request.headers.get("payment-signature")
        if header is None:
            return self._challenge("/live", requirements, "Payment required")
        settled, problem = await self._settled(decode_payment_signature_header(header), requirements)
        if problem:
            return self._challenge("/live", requirements, problem)
        headers = {"PAYMENT-RESPONSE": encode_payment_response_header(settled)}
        return StreamingResponse(self._events(EVENT_INTERVAL), media_type="text/event-stream", headers=headers)

    def _challenge(self, path, requirements, error):
        resource = ResourceInfo(url=self.url + path, description="Events as they happen", mime_type="text/event-stream")
        required = PaymentRequired(error=error, resource=resource, accepts=[requirements])
        return JSONResponse({}, 402, headers={"PAYMENT-REQUIRED": encode_payment_required_header(required)})

    async def _report(self, request: Request):
        body = await request.body()
        requirements = PaymentRequirementsV1(
            scheme="exact",
            network=V1_NETWORK,
            max_amount_required=str(PRICES["/v1/report"]),
            resource=self.url + "/v1/report",
            description="A report from the first days",
            mime_type="application/json",
            pay_to=SELLER,
            max_timeout_seconds=TIMEOUT,
            asset=TOKEN,
            extra=DOMAIN,
        )
        header = request.headers.get("x-payment")
        if header is None:
            return self._challenge_v1(requirements, "X-PAYMENT header is required")
        settled, problem = await self._settled(decode_payment_signature_header(header), requirements)
        if problem:
            return self._challenge_v1(requirements, problem)
        headers = {"X-PAYMENT-RESPONSE": encode_payment_response_header(settled)}
        return JSONResponse({"report": body.decode()}, headers=headers)

    def _challenge_v1(self, requirements, error):
        required = PaymentRequiredV1(error=error, accepts=[requirements])
        return JSONResponse(required.model_dump(by_alias=True), 402)

    async def _settled(self, payload, requirements):
        """The settlement, or why the official facilitator would not have the payment."""
        verdict = await self.facilitator.verify(payload, requirements)
        if not verdict.is_valid:
            return None, verdict.invalid_reason
        settled = await self.facilitator.settle(payload, requirements)
        return (settled, None) if settled.success else (None, settled.error_reason)
