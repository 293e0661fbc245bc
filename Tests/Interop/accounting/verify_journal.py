#!/usr/bin/env python3
"""Verifies a ledger from its exports alone, by Specs/journal.md and without any code of Purser.

    verify_journal.py ENTRIES [--payments PAYMENTS] [--after HASH]

ENTRIES is `purser ledger export --format entries`: every hash is worked out again, the chain is followed, and what each
asset's accounts gained and lost is added up; signatures of checkpoints too where eth-account is installed. PAYMENTS is the jsonl export of the same books: the terms of each payment
are hashed and held against its first entry. An export that does not begin with entry 1 needs the hash of the entry
before it. Exit status 1 and a sentence for the first thing that does not hold.
"""

import argparse
import datetime
import hashlib
import json
import sys

try:
    from eth_account import Account
    from eth_account.messages import encode_defunct
except ImportError:
    Account = None

ABSENT = (2**32 - 1).to_bytes(4, "big")


def field(value):
    """One field: four bytes of length and the bytes; numbers as decimal text."""
    if value is None:
        return ABSENT
    if isinstance(value, int):
        value = str(value)
    data = value if isinstance(value, bytes) else value.encode()
    return len(data).to_bytes(4, "big") + data


def digest(kind, *values):
    return hashlib.sha256(b"".join(field(value) for value in (kind, *values))).digest()


def raw(text):
    return None if text is None else bytes.fromhex(text.removeprefix("0x"))


def entry_hash(entry, previous):
    get = entry.get
    return digest(
        "purser-entry-1", previous, get("number"), get("at_ms"), get("kind"), get("subject"), get("cause"),
        get("state"), get("debit"), get("credit"), get("asset"), get("amount"), get("actor"), get("detail"),
        raw(get("terms")), raw(get("metadata")))


def milliseconds(text):
    time = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round((time - datetime.datetime.fromtimestamp(0, datetime.timezone.utc)) / datetime.timedelta(milliseconds=1))


def nanodollars(text):
    if text is None:
        return None
    whole, _, fraction = text.partition(".")
    return int(whole) * 10**9 + int(fraction.ljust(9, "0"))


def terms_hash(payment):
    get = payment.get
    return digest(
        "purser-terms-1", get("id"), milliseconds(get("reserved_at")), get("agent"), get("team"), get("gateway"),
        get("host"), raw(get("policy")), get("scheme"), get("payment_method"), get("network"), get("asset"), get("symbol"), get("decimals"), get("wallet"),
        get("payer"), get("pay_to"), get("amount"), nanodollars(get("value_usd")), raw(get("nonce")),
        get("valid_after"), get("valid_before"))


def check_checkpoint(entry, hashes):
    detail = json.loads(entry["detail"])
    where = f"entry {entry['number']} is a checkpoint"
    if hashes.get(detail["entries"], detail["hash"]) != detail["hash"]:
        fail(f"{where} of another hash of entry {detail['entries']}")
    text = (
        f"Purser ledger checkpoint 1\nday: {entry['subject']}\nentries: {detail['entries']}\nhash: {detail['hash']}\n")
    if Account is None:
        return 0
    if Account.recover_message(encode_defunct(text=text), signature=detail["signature"]) != detail["signer"]:
        fail(f"{where} that {detail['signer']} did not sign")
    return 1


def fail(sentence):
    print(f"FAILED: {sentence}")
    sys.exit(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("entries")
    parser.add_argument("--payments")
    parser.add_argument("--after", default="0x" + "00" * 32)
    options = parser.parse_args()
    previous, number, time, signatures = raw(options.after), None, 0, 0
    fixed, sums, hashes, unknown, answers = {}, {}, {}, set(), {}
    for line in open(options.entries, encoding="utf-8"):
        entry = json.loads(line)
        if number is not None and entry["number"] != number + 1:
            fail(f"entry {entry['number']} stands behind entry {number}")
        if entry["at_ms"] < time:
            fail(f"entry {entry['number']} is older than the one before")
        if entry_hash(entry, previous) != raw(entry["hash"]):
            fail(f"entry {entry['number']} has a hash that does not follow from its content and the hash before")
        if entry["kind"] == "checkpoint":
            signatures += check_checkpoint(entry, hashes)
        if "terms" in entry and entry["kind"] == "payment":
            fixed[entry["subject"]] = entry["terms"]
            if entry.get("detail") == "model: unknown":
                unknown.add(entry["subject"])
        if entry["kind"] == "payment" and entry.get("detail", "").startswith("answer: "):
            answers[entry["subject"]] = entry["detail"].removeprefix("answer: ")
        if "amount" in entry:
            asset = sums.setdefault(entry["asset"], {})
            for side, sign in (("debit", 1), ("credit", -1)):
                asset[entry[side]] = asset.get(entry[side], 0) + sign * int(entry["amount"])
        previous, number, time = raw(entry["hash"]), entry["number"], entry["at_ms"]
        hashes[number] = entry["hash"]
    for asset, accounts in sums.items():
        if sum(accounts.values()) != 0:
            fail(f"the accounts of {asset} do not add up to nothing")
    payments = 0
    for line in open(options.payments, encoding="utf-8") if options.payments else ():
        payment = json.loads(line)
        if fixed.pop(payment["id"], None) != "0x" + terms_hash(payment).hex():
            fail(f"payment {payment['id']} does not have the terms that its first entry fixed")
        if (payment.get("model_fact", "none") == "unknown") != (payment["id"] in unknown) and "model_fact" in payment:
            fail(f"payment {payment['id']} has a model that is {payment['model_fact']}, and its first entry says another thing")
        if payment.get("delivery") != answers.get(payment["id"]):
            fail(f"payment {payment['id']} says of its answer {payment.get('delivery')}, and its entries another thing")
        payments += 1
    if options.payments and fixed:
        fail(f"payment {next(iter(fixed))} has an entry and no row")
    print(
        f"{number or 0} entries, {payments} payments and {signatures} checkpoint signatures hold;"
        f" last hash 0x{previous.hex()}")


main()
