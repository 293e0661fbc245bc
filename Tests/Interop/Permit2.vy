# pragma version 0.4.3
"""
@title The part of Permit2 that moves tokens by a signature with a witness, for a machine on the test's own loopback
@notice SignatureTransfer.permitWitnessTransferFrom with its checks in their order, and its errors. Signers are
        externally owned accounts with signatures of 65 bytes only.
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

DOMAIN_TYPEHASH: constant(bytes32) = keccak256(
    "EIP712Domain(string name,uint256 chainId,address verifyingContract)"
)
NAME_HASH: constant(bytes32) = keccak256("Permit2")
PERMISSIONS_TYPEHASH: constant(bytes32) = keccak256("TokenPermissions(address token,uint256 amount)")
# What the spender's own words about the witness are put behind.
TYPE_STUB: constant(String[102]) = "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,"

nonceBitmap: public(HashMap[address, HashMap[uint256, uint256]])


@external
@view
def DOMAIN_SEPARATOR() -> bytes32:
    return self._domain_separator()


@external
def permitWitnessTransferFrom(
    permit: PermitTransferFrom,
    transferDetails: SignatureTransferDetails,
    owner: address,
    witness: bytes32,
    witnessTypeString: String[256],
    signature: Bytes[65],
):
    if block.timestamp > permit.deadline:
        raw_revert(abi_encode(permit.deadline, method_id=method_id("SignatureExpired(uint256)")))
    if transferDetails.requestedAmount > permit.permitted.amount:
        raw_revert(abi_encode(permit.permitted.amount, method_id=method_id("InvalidAmount(uint256)")))

    word: uint256 = permit.nonce >> 8
    bit: uint256 = 1 << (permit.nonce & 255)
    if self.nonceBitmap[owner][word] & bit != 0:
        raw_revert(method_id("InvalidNonce()"))
    self.nonceBitmap[owner][word] |= bit

    permitted: bytes32 = keccak256(abi_encode(PERMISSIONS_TYPEHASH, permit.permitted.token, permit.permitted.amount))
    struct_hash: bytes32 = keccak256(
        abi_encode(
            keccak256(concat(TYPE_STUB, witnessTypeString)),
            permitted,
            msg.sender,
            permit.nonce,
            permit.deadline,
            witness,
        )
    )
    if len(signature) != 65:
        raw_revert(method_id("InvalidSignatureLength()"))
    signer: address = ecrecover(
        keccak256(concat(x"1901", self._domain_separator(), struct_hash)),
        convert(slice(signature, 64, 1), uint256),
        convert(slice(signature, 0, 32), uint256),
        convert(slice(signature, 32, 32), uint256),
    )
    if signer == empty(address):
        raw_revert(method_id("InvalidSignature()"))
    if signer != owner:
        raw_revert(method_id("InvalidSigner()"))

    # Tokens that answer with nothing have moved the amount, or reverted.
    answer: Bytes[32] = raw_call(
        permit.permitted.token,
        abi_encode(
            owner,
            transferDetails.to,
            transferDetails.requestedAmount,
            method_id=method_id("transferFrom(address,address,uint256)"),
        ),
        max_outsize=32,
    )
    assert len(answer) == 0 or convert(answer, uint256) == 1, "TRANSFER_FROM_FAILED"


@internal
@view
def _domain_separator() -> bytes32:
    return keccak256(abi_encode(DOMAIN_TYPEHASH, NAME_HASH, chain.id, self))
