# pragma version 0.4.3
"""
@title A token like USDT0 on Polygon: 6 decimals, permits over a salted domain (EIP-2612), no EIP-3009
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    value: uint256

# The account of private key 1.
MINTER: constant(address) = 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf
DOMAIN_TYPEHASH: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,address verifyingContract,bytes32 salt)"
)
PERMIT_TYPEHASH: constant(bytes32) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
NAME: constant(String[5]) = "USDT0"
VERSION: constant(String[1]) = "1"

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
nonces: public(HashMap[address, uint256])
totalSupply: public(uint256)


@external
@view
def name() -> String[5]:
    return NAME


@external
@view
def symbol() -> String[5]:
    return NAME


@external
@view
def decimals() -> uint8:
    return 6


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
def approve(spender: address, amount: uint256) -> bool:
    self._approve(msg.sender, spender, amount)
    return True


@external
def permit(owner: address, spender: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    assert block.timestamp <= deadline, "ERC20Permit: expired deadline"
    struct_hash: bytes32 = keccak256(
        abi_encode(PERMIT_TYPEHASH, owner, spender, amount, self.nonces[owner], deadline)
    )
    digest: bytes32 = keccak256(concat(b"\x19\x01", self._domain_separator(), struct_hash))
    signer: address = ecrecover(digest, v, r, s)
    assert signer != empty(address) and signer == owner, "ERC20Permit: invalid signature"
    self.nonces[owner] += 1
    self._approve(owner, spender, amount)


@external
def transferFrom(sender: address, receiver: address, amount: uint256) -> bool:
    assert receiver != empty(address), "ERC20: transfer to the zero address"
    assert self.balanceOf[sender] >= amount, "ERC20: transfer amount exceeds balance"
    if self.allowance[sender][msg.sender] != max_value(uint256):
        assert self.allowance[sender][msg.sender] >= amount, "ERC20: insufficient allowance"
        self.allowance[sender][msg.sender] -= amount
    self.balanceOf[sender] -= amount
    self.balanceOf[receiver] += amount
    log Transfer(sender=sender, receiver=receiver, value=amount)
    return True


@internal
def _approve(owner: address, spender: address, amount: uint256):
    self.allowance[owner][spender] = amount
    log Approval(owner=owner, spender=spender, value=amount)


@internal
@view
def _domain_separator() -> bytes32:
    return keccak256(
        abi_encode(DOMAIN_TYPEHASH, keccak256(NAME), keccak256(VERSION), self, convert(chain.id, bytes32))
    )
