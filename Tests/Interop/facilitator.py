"""The official SDK's facilitator as an HTTP service over the chain: verify, settle, supported, in both versions."""

import threading

from fastapi import Body, FastAPI
from x402 import x402FacilitatorSync
from x402.mechanisms.evm import FacilitatorWeb3Signer
from x402.mechanisms.evm.exact import register_exact_evm_facilitator
from x402.mechanisms.evm.exact.v1.facilitator import ExactEvmSchemeV1
from x402.mechanisms.evm.v1.constants import V1_NETWORK_CHAIN_IDS
from x402.schemas.helpers import parse_payment_payload, parse_payment_requirements

from chain import CHAIN_ID, FACILITATOR_KEY, NETWORK

V1_NETWORK = "arbitrum"
# The SDK's table of version 1 names has no name for Arbitrum One; its version 1 code is used as it is otherwise.
V1_NETWORK_CHAIN_IDS[V1_NETWORK] = CHAIN_ID


class OrderedSigner(FacilitatorWeb3Signer):
    """Takes an account nonce and sends in one step, so that settlements side by side reach the chain in order."""

    def __init__(self, rpc):
        super().__init__(private_key=FACILITATOR_KEY, rpc_url=rpc, confirmation_timeout_seconds=30)
        self._order = threading.Lock()

    def write_contract(self, *arguments, **options):
        with self._order:
            return super().write_contract(*arguments, **options)


class Facilitator:
    """The service's application, and its verdicts as the suite wants to count them."""

    def __init__(self, rpc):
        self.rpc = rpc
        signer = OrderedSigner(rpc)
        self.official = x402FacilitatorSync()
        # A settlement that cannot succeed would use up an account nonce and block the later ones: simulate first.
        register_exact_evm_facilitator(self.official, signer, NETWORK, simulate_in_settle=True)
        self._register(signer)
        self.settled = []
        self.refused = []
        self.app = FastAPI()
        self.app.get("/supported")(self._supported)
        self.app.post("/verify")(self._verify)
        self.app.post("/settle")(self._settle)

    def _register(self, signer):
        """What it settles besides `exact` of version 2."""
        self.official.register_v1([V1_NETWORK], ExactEvmSchemeV1(signer))

    def _supported(self):
        return self.official.get_supported().model_dump(by_alias=True, exclude_none=True)

    def _verify(self, request: dict = Body()):
        verdict = self.official.verify(*parse(request))
        if not verdict.is_valid:
            self.refused.append(f"verify: {verdict.invalid_reason} {verdict.invalid_message or ''}")
        return verdict.model_dump(by_alias=True, exclude_none=True)

    def _settle(self, request: dict = Body()):
        outcome = self.official.settle(*parse(request))
        if outcome.success:
            self.settled.append(outcome.transaction)
        else:
            self.refused.append(f"settle: {outcome.error_reason} {outcome.error_message or ''}")
        return outcome.model_dump(by_alias=True, exclude_none=True)


def parse(request):
    payload = parse_payment_payload(request["paymentPayload"])
    return payload, parse_payment_requirements(payload.x402_version, request["paymentRequirements"])
