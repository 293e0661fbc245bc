# pragma version 0.4.3
"""
@title A token like USDT on BNB Chain: 18 decimals, allowances, no EIP-3009 and no EIP-2612
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

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
totalSupply: public(uint256)


@external
@view
def name() -> String[10]:
    return "Tether USD"


@external
@view
def symbol() -> String[4]:
    return "USDT"


@external
@view
def decimals() -> uint8:
    return 18


@external
def mint(receiver: address, amount: uint256):
    assert msg.sender == MINTER, "only the minter mints"
    self.balanceOf[receiver] += amount
    self.totalSupply += amount
    log Transfer(sender=empty(address), receiver=receiver, value=amount)


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    log Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@external
def transfer(receiver: address, amount: uint256) -> bool:
    self._move(msg.sender, receiver, amount)
    return True


@external
def transferFrom(sender: address, receiver: address, amount: uint256) -> bool:
    assert self.allowance[sender][msg.sender] >= amount, "BEP20: transfer amount exceeds allowance"
    # BSC-USD lowers every allowance, an unlimited one too.
    self.allowance[sender][msg.sender] -= amount
    self._move(sender, receiver, amount)
    return True


@internal
def _move(sender: address, receiver: address, amount: uint256):
    assert receiver != empty(address), "BEP20: transfer to the zero address"
    assert self.balanceOf[sender] >= amount, "BEP20: transfer amount exceeds balance"
    self.balanceOf[sender] -= amount
    self.balanceOf[receiver] += amount
    log Transfer(sender=sender, receiver=receiver, value=amount)
