# pragma version 0.4.3
"""
@title A USDT-like token with EIP-3009, for an Ethereum virtual machine on the test's own loopback
@notice Has the EIP-712 domain of USD₮0 (version "1"), so that a signature made for the real token is judged by
        the same bytes here. Signers are externally owned accounts only: no ERC-1271.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256

event AuthorizationUsed:
    authorizer: indexed(address)
    nonce: indexed(bytes32)

# "USD₮0" as UTF-8: a Vyper string literal holds ASCII only.
NAME: constant(Bytes[7]) = x"555344E282AE30"
VERSION: constant(String[1]) = "1"
# The account of private key 1.
MINTER: constant(address) = 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf

DOMAIN_TYPEHASH: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
TRANSFER_TYPEHASH: constant(bytes32) = keccak256(
    "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
# secp256k1's half order: a signature with a larger s is the malleable twin of another one.
HALF_ORDER: constant(uint256) = 57896044618658097711785492504343953926418782139537452191302581570759080747168
# transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)
BYTES_OVERLOAD: constant(Bytes[4]) = x"CF092995"

balanceOf: public(HashMap[address, uint256])
authorizationState: public(HashMap[address, HashMap[bytes32, bool]])
totalSupply: public(uint256)


@external
@view
def name() -> String[7]:
    return convert(NAME, String[7])


@external
@view
def symbol() -> String[7]:
    return convert(NAME, String[7])


@external
@view
def decimals() -> uint8:
    return 6


@external
@view
def version() -> String[1]:
    return VERSION


@external
@view
def DOMAIN_SEPARATOR() -> bytes32:
    return self._domain_separator()


@external
def mint(receiver: address, amount: uint256):
    assert msg.sender == MINTER, "only the minter mints"
    self.balanceOf[receiver] += amount
    self.totalSupply += amount
    log Transfer(sender=empty(address), receiver=receiver, value=amount)


@external
def transfer(receiver: address, amount: uint256) -> bool:
    self._move(msg.sender, receiver, amount)
    return True


@external
def transferWithAuthorization(
    sender: address,
    receiver: address,
    amount: uint256,
    valid_after: uint256,
    valid_before: uint256,
    nonce: bytes32,
    v: uint8,
    r: bytes32,
    s: bytes32,
):
    self._authorized(sender, receiver, amount, valid_after, valid_before, nonce, v, r, s)


# Vyper has no overloading, so the overload that takes the signature as one byte string is dispatched here.
@external
def __default__():
    assert len(msg.data) >= 356, "unknown function"
    assert slice(msg.data, 0, 4) == BYTES_OVERLOAD, "unknown function"
    sender: address = empty(address)
    receiver: address = empty(address)
    amount: uint256 = 0
    valid_after: uint256 = 0
    valid_before: uint256 = 0
    nonce: bytes32 = empty(bytes32)
    signature: Bytes[65] = b""
    sender, receiver, amount, valid_after, valid_before, nonce, signature = abi_decode(
        slice(msg.data, 4, 352), (address, address, uint256, uint256, uint256, bytes32, Bytes[65])
    )
    assert len(signature) == 65, "invalid signature length"
    self._authorized(
        sender,
        receiver,
        amount,
        valid_after,
        valid_before,
        nonce,
        convert(slice(signature, 64, 1), uint8),
        convert(slice(signature, 0, 32), bytes32),
        convert(slice(signature, 32, 32), bytes32),
    )


@internal
def _authorized(
    sender: address,
    receiver: address,
    amount: uint256,
    valid_after: uint256,
    valid_before: uint256,
    nonce: bytes32,
    v: uint8,
    r: bytes32,
    s: bytes32,
):
    assert block.timestamp > valid_after, "authorization is not yet valid"
    assert block.timestamp < valid_before, "authorization is expired"
    assert not self.authorizationState[sender][nonce], "authorization is used or canceled"
    assert v == 27 or v == 28, "invalid signature v"
    assert convert(s, uint256) <= HALF_ORDER, "invalid signature s"
    struct_hash: bytes32 = keccak256(
        abi_encode(TRANSFER_TYPEHASH, sender, receiver, amount, valid_after, valid_before, nonce)
    )
    digest: bytes32 = keccak256(concat(b"\x19\x01", self._domain_separator(), struct_hash))
    signer: address = ecrecover(digest, v, r, s)
    assert signer != empty(address) and signer == sender, "invalid signature"
    self.authorizationState[sender][nonce] = True
    log AuthorizationUsed(authorizer=sender, nonce=nonce)
    self._move(sender, receiver, amount)


@internal
def _move(sender: address, receiver: address, amount: uint256):
    assert receiver != empty(address), "transfer to the zero address"
    assert self.balanceOf[sender] >= amount, "transfer amount exceeds balance"
    self.balanceOf[sender] -= amount
    self.balanceOf[receiver] += amount
    log Transfer(sender=sender, receiver=receiver, value=amount)


@internal
@view
def _domain_separator() -> bytes32:
    return keccak256(abi_encode(DOMAIN_TYPEHASH, keccak256(NAME), keccak256(VERSION), chain.id, self))
