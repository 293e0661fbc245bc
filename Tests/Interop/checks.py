"""Checks of a suite, a line each, and what they came to."""

import shutil
import time
from contextlib import contextmanager


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
