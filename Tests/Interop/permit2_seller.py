"""The official SDK's seller and facilitator for Permit2: schemes `exact` and `upto`."""

import base64
import json

from chain import NETWORK, TOKEN
from facilitator import Facilitator
from fastapi import Body, FastAPI, Request, Response
from x402 import x402ResourceServer
from x402.http import FacilitatorConfig, HTTPFacilitatorClient
from x402.http.middleware.fastapi import payment_middleware
from x402.http.types import PaymentOption, RouteConfig
from x402.mechanisms.evm.exact import register_exact_evm_server
from x402.mechanisms.evm.upto import UptoEvmFacilitatorScheme, UptoEvmSchemeConfig, UptoEvmServerScheme

SELLER = "0x90F8bf6A479f320ead074411a4B0e7944Ea8c9C1"
TIMEOUT = 120

# Atomic units of 18 decimals: up to ten cents, and all different to the last digit.
PRICES = {
    "/exact": 10_000_000_000_000_001,
    "/upto/partial": 50_000_000_000_000_020,
    "/upto/all": 20_000_000_000_000_300,
    "/upto/zero": 30_000_000_000_004_000,
    "/upto/missing": 40_000_000_000_050_000,
}
# What is settled of a maximum.
USED = {"/upto/partial": 12_345_678_901_234_567, "/upto/zero": 0, "/upto/missing": 7_000_000_000_000_007}


class SettlingFacilitator(Facilitator):
    """Settles `upto` too. Its one fault: it leaves out an amount, as old ones do."""

    def _register(self, signer):
        upto = UptoEvmFacilitatorScheme(signer, UptoEvmSchemeConfig(simulate_in_settle=True))
        self.official.register([NETWORK], upto)

    def _settle(self, request: dict = Body()):
        report = super()._settle(request)
        if request["paymentPayload"].get("resource", {}).get("url", "").endswith("/missing"):
            report.pop("amount", None)
        return report


class Seller:
    """The application at `url`, and every payment as it arrived, decoded."""

    def __init__(self, url, facilitator):
        self.url = url
        self.payments = []
        app = FastAPI()
        server = x402ResourceServer(HTTPFacilitatorClient(FacilitatorConfig(url=facilitator)))
        register_exact_evm_server(server, NETWORK)
        server.register(NETWORK, UptoEvmServerScheme())
        app.middleware("http")(payment_middleware(self._routes(), server))
        app.middleware("http")(self._recording)
        app.get("/exact")(self._sold)
        app.get("/upto/{kind}")(self._metered)
        self.app = app

    def _routes(self):
        return {
            f"GET {path}": RouteConfig(accepts=self._option(path), mime_type="application/json") for path in PRICES
        }

    def _option(self, path):
        extra = {"name": "Tether USD", "version": "1", "assetTransferMethod": "permit2"}
        price = {"amount": str(PRICES[path]), "asset": TOKEN, "extra": extra}
        scheme = "exact" if path == "/exact" else "upto"
        return PaymentOption(scheme=scheme, pay_to=SELLER, price=price, network=NETWORK, max_timeout_seconds=TIMEOUT)

    async def _recording(self, request, call_next):
        header = request.headers.get("payment-signature")
        if header is not None:
            self.payments.append(json.loads(base64.b64decode(header, validate=True)))
        return await call_next(request)

    async def _sold(self):
        return {"sold": True}

    async def _metered(self, request: Request, response: Response):
        used = USED.get(request.url.path)
        if used is not None:
            response.headers["Settlement-Overrides"] = json.dumps({"amount": str(used)})
        return {"used": used}
