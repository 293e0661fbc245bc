"""Checks of a suite, a line each, and what they came to."""

import argparse
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path


class Checks:
    """What a suite has looked at so far. Suites add `run`, `stop`, `payer` and `paid_calls`."""

    def __init__(self):
        self.failures = []

    @contextmanager
    def check(self, title):
        """One line of the outcome; a failure is noted and the suite goes on."""
        start = time.monotonic()
        try:
            yield
            print(f"  ok    {title} ({time.monotonic() - start:.2f} s)", flush=True)
        except Exception as error:
            self.failures.append(title)
            words = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
            print(f"  FAIL  {title}: {words}", flush=True)

    def check_all(self, steps):
        """The checks of (title, step) one behind the other."""
        for title, step in steps:
            with self.check(title):
                step()


def conclude(suite, name, directory, start):
    """Runs a suite to its end, prints what it came to and returns the exit status; a failure keeps the directory."""
    try:
        suite.run()
    finally:
        with suite.check("everything stops when asked to"):
            suite.stop()
    seconds = time.monotonic() - start
    if suite.failures:
        print(f"--- the end of the daemon's log ({directory} is kept)\n{suite.payer.log_tail()}")
        print(f"{name} FAILED: {len(suite.failures)} checks: {'; '.join(suite.failures)} ({seconds:.0f} s)")
        return 1
    shutil.rmtree(directory)
    print(f"{name} PASSED: {suite.paid_calls} paid calls, chain and books equal ({seconds:.0f} s)")
    return 0


def run_suite(make, name, description):
    """A suite's program: makes it of `--purser PATH` and a directory of its own, runs it, and exits with its status."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--purser", metavar="PATH", required=True, help="the binary under test")
    options = parser.parse_args()
    start = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix=f"purser-{name}-"))
    sys.exit(conclude(make(options.purser, directory), name.upper(), directory, start))
