# pragma version 0.4.3
"""
@title x402ExactPermit2Proxy, for a machine on the test's own loopback
@notice Moves exactly what was permitted, to the payee of the witness and to nobody else.
"""

struct TokenPermissions:
    token: address
    amount: uint256

struct PermitTransferFrom:
    permitted: TokenPermissions
    nonce: uint256
    deadline: uint256

struct SignatureTransferDetails:
    to: address
    requestedAmount: uint256

struct EIP2612Permit:
    value: uint256
    deadline: uint256
    r: bytes32
    s: bytes32
    v: uint8

struct Witness:
    to: address
    validAfter: uint256

interface SignatureTransfer:
    def permitWitnessTransferFrom(
        permit: PermitTransferFrom,
        transferDetails: SignatureTransferDetails,
        owner: address,
        witness: bytes32,
        witnessTypeString: String[256],
        signature: Bytes[65],
    ): nonpayable

event Settled:
    pass

event SettledWithPermit:
    pass

PERMIT2: constant(address) = 0x000000000022D473030F116dDEE9F6B43aC78BA3
WITNESS_TYPEHASH: constant(bytes32) = keccak256("Witness(address to,uint256 validAfter)")
WITNESS_TYPE_STRING: constant(String[100]) = "Witness witness)TokenPermissions(address token,uint256 amount)Witness(address to,uint256 validAfter)"


@external
@nonreentrant
def settle(
    permit: PermitTransferFrom,
    owner: address,
    witness: Witness,
    signature: Bytes[65],
):
    self._settle(permit, permit.permitted.amount, owner, witness, signature)
    log Settled()


@external
@nonreentrant
def settleWithPermit(
    permit2612: EIP2612Permit,
    permit: PermitTransferFrom,
    owner: address,
    witness: Witness,
    signature: Bytes[65],
):
    if permit2612.value != permit.permitted.amount:
        raw_revert(method_id("Permit2612AmountMismatch()"))
    # A permit that fails, for one because somebody submitted it before, matters only if the allowance is missing.
    permitted: bool = raw_call(
        permit.permitted.token,
        abi_encode(
            owner,
            PERMIT2,
            permit2612.value,
            permit2612.deadline,
            permit2612.v,
            permit2612.r,
            permit2612.s,
            method_id=method_id("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"),
        ),
        revert_on_failure=False,
    )
    self._settle(permit, permit.permitted.amount, owner, witness, signature)
    log SettledWithPermit()


@internal
def _settle(permit: PermitTransferFrom, amount: uint256, owner: address, witness: Witness, signature: Bytes[65]):
    if amount == 0:
        raw_revert(method_id("InvalidAmount()"))
    if owner == empty(address):
        raw_revert(method_id("InvalidOwner()"))
    if witness.to == empty(address):
        raw_revert(method_id("InvalidDestination()"))
    if block.timestamp < witness.validAfter:
        raw_revert(method_id("PaymentTooEarly()"))
    extcall SignatureTransfer(PERMIT2).permitWitnessTransferFrom(
        permit,
        SignatureTransferDetails(to=witness.to, requestedAmount=amount),
        owner,
        keccak256(abi_encode(WITNESS_TYPEHASH, witness.to, witness.validAfter)),
        WITNESS_TYPE_STRING,
        signature,
    )
