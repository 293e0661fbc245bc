#!/usr/bin/env python3
"""Reads a folder of exports with the real programs and compares what they make of it with the books.

    check.py FOLDER

For each pair NAME.hledger and NAME.beancount in it: `hledger check`, `bean-check`, and every balance read back and held
against NAME.balances (account, commodity and amount, tab-separated) where there is one. Then the same files with one
atomic unit more in one assertion, which both must refuse. Payments are held against the JSON Schema, entries against Specs/journal.md.
"""

import csv
import io
import json
import pathlib
import re
import subprocess
import sys
from decimal import Decimal

import beancount.loader
import jsonschema
from beancount.core import realization

HERE = pathlib.Path(__file__).resolve().parent
SPECS = HERE.parent.parent.parent / "Specs"


def fail(sentence):
    print(f"FAILED: {sentence}")
    sys.exit(1)


def hledger(path, *arguments):
    result = subprocess.run(["hledger", "-f", str(path), *arguments], capture_output=True, text=True)
    return result.returncode, result.stdout, result.stderr


def expected(path):
    rows = (line.split("\t") for line in path.read_text().splitlines())
    return {(account, commodity): Decimal(amount) for account, commodity, amount in rows if Decimal(amount) != 0}


def hledger_balances(path):
    code, output, errors = hledger(path, "balance", "--flat", "--no-total", "--layout=bare", "-O", "csv")
    if code != 0:
        fail(f"hledger balance {path.name}: {errors}")
    rows = csv.DictReader(io.StringIO(output))
    balances = {(row["account"], row["commodity"]): Decimal(row["balance"]) for row in rows}
    return {key: amount for key, amount in balances.items() if amount != 0}


def beancount_balances(path):
    entries, errors, _ = beancount.loader.load_file(str(path))
    if errors:
        fail(f"beancount {path.name}: {errors[0].message}")
    balances = {}
    for account in realization.iter_children(realization.realize(entries)):
        for position in account.balance:
            balances[account.account, position.units.currency] = position.units.number
    return {key: amount for key, amount in balances.items() if amount != 0}


def compare(name, found, wanted):
    for key in sorted(found.keys() | wanted.keys()):
        if found.get(key, 0) != wanted.get(key, 0):
            fail(f"{name}: {key} is {found.get(key, 0)}, and {wanted.get(key, 0)} in the books")


def altered(path, pattern):
    """The file with one atomic unit more in its last assertion of a token; None where it has none."""
    lines = path.read_text().splitlines()
    for index in range(len(lines) - 1, -1, -1):
        match = re.search(pattern, lines[index])
        if not match:
            continue
        unit = Decimal(1).scaleb(-len(match[1].partition(".")[2]))
        lines[index] = lines[index][: match.start(1)] + str(Decimal(match[1]) + unit) + lines[index][match.end(1) :]
        copy = path.with_name("altered-" + path.name)
        copy.write_text("\n".join(lines) + "\n")
        return copy
    return None


def bean_check(path):
    program = pathlib.Path(sys.executable).with_name("bean-check")
    return subprocess.run([program, path], capture_output=True, text=True)


def check_accounting(folder):
    count = refused = 0
    for path in sorted(folder.glob("*.hledger")):
        if path.name.startswith("altered-"):
            continue
        code, _, errors = hledger(path, "check", "--strict")
        if code != 0:
            fail(f"hledger check {path.name}: {errors}")
        other = path.with_suffix(".beancount")
        if (result := bean_check(other)).returncode != 0:
            fail(f"bean-check {other.name}: {result.stderr}")
        found = hledger_balances(path)
        balances = path.with_suffix(".balances")
        # Without a list from the books the assertions in the file speak for them.
        wanted = expected(balances) if balances.exists() else found
        compare(path.name, found, wanted)
        compare(other.name, beancount_balances(other), wanted)
        count += len(wanted)
        if copy := altered(path, r" = (-?\d+\.\d+) "):
            refused += 1
            if hledger(copy, "check")[0] == 0:
                fail(f"hledger did not see one atomic unit in {copy.name}")
        if copy := altered(other, r" (-?\d+\.\d+) ~ 0 "):
            refused += 1
            if bean_check(copy).returncode == 0:
                fail(f"Beancount did not see one atomic unit in {copy.name}")
    print(f"hledger and Beancount agree with {count} balances, and refuse {refused} that are one atomic unit off")


def check_payments(folder):
    validator = jsonschema.Draft202012Validator(json.loads((SPECS / "export.schema.json").read_text()))
    validator.check_schema(validator.schema)
    count = 0
    for path in sorted(folder.glob("*.jsonl")):
        with open(path.with_suffix(".csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        payments = [json.loads(line) for line in path.read_text().splitlines()]
        if len(rows) != len(payments):
            fail(f"{path.name} and its CSV have {len(payments)} and {len(rows)} payments")
        for payment, row in zip(payments, rows):
            for error in validator.iter_errors(payment):
                fail(f"{path.name}: {payment['id']}: {error.message}")
            cells = {name: cell.removeprefix("'") for name, cell in row.items() if cell != ""}
            if cells != {name: str(value) for name, value in payment.items()}:
                fail(f"{path.name}: {payment['id']} is another in the CSV export")
            count += 1
    print(f"{count} lines of payments satisfy the schema and are the same as CSV")


def verify(*arguments):
    command = [sys.executable, HERE / "verify_journal.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def check_journal(folder):
    for path in sorted(folder.glob("*.entries")):
        lines = path.read_text().splitlines()
        if path.name.startswith("tampered") or not lines or json.loads(lines[0])["number"] != 1:
            continue
        payments = path.with_suffix(".jsonl")
        result = verify(path, *(["--payments", payments] if payments.exists() else []))
        print(f"{path.name}: {result.stdout.strip()}")
        if result.returncode != 0:
            fail(f"{path.name}, by Specs/journal.md")
    first, middle, tampered = (folder / f"{name}.entries" for name in ("first", "middle", "tampered"))
    if middle.exists():
        before = json.loads(first.read_text().splitlines()[-1])["hash"]
        if (result := verify(middle, "--after", before)).returncode != 0:
            fail(f"a part of the journal: {result.stdout}")
    if tampered.exists():
        result = verify(tampered)
        if result.returncode != 1 or "hash" not in result.stdout:
            fail("a journal that was tampered with passed")


def main():
    folder = pathlib.Path(sys.argv[1])
    check_accounting(folder)
    check_payments(folder)
    check_journal(folder)


main()
