"""The daemon under test, what it runs beside, and what the system says of it."""

import asyncio
import json
import math
import os
import pathlib
import resource
import shutil
import signal
import socket
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Failure(Exception):
    """The soak cannot go on."""


async def listening(port, process, what):
    for _ in range(600):
        if process.returncode is not None:
            raise Failure(f"{what} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        await asyncio.sleep(0.05)
    raise Failure(f"{what} did not listen within 30 s")


class Daemon:
    """`purser serve` with a fresh state directory, and its commands."""

    def __init__(self, binary, folder):
        self.binary, self.state = binary, folder / "state"
        self.port, self.metrics = free_port(), free_port()
        self.socket = folder / "agents.sock"
        self.logfile = folder / "log"
        self.process = None
        self.is_uncounted = False
        (self.state / "wallets").mkdir(parents=True)
        self.state.chmod(0o700)
        shutil.copy(ROOT / "Wallets/development/payer.json", self.state / "wallets/main.json")
        for name, text in (("main.pass", "purser\n"), ("metered.key", "key-of-the-gateway\n")):
            (self.state / name).write_text(text)
            (self.state / name).chmod(0o600)

    def configure(self, text):
        """Replaces config.yaml in one step."""
        new = self.state / "config.yaml.new"
        new.write_text(text)
        new.replace(self.state / "config.yaml")

    async def command(self, *arguments, check=True):
        process = await asyncio.create_subprocess_exec(
            self.binary,
            *arguments,
            "--state",
            str(self.state),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        if check and process.returncode != 0:
            raise Failure(f"purser {' '.join(arguments)} ended with {process.returncode}: {errors.decode()}")
        return process.returncode, output.decode(), errors.decode()

    async def json(self, *arguments):
        return json.loads((await self.command(*arguments, "--json"))[1])

    async def start(self, descriptors=None, log=None):
        """Starts serving; `descriptors` is how many the system gives the process, `log` a descriptor for its log."""
        environment = dict(os.environ, SWIFT_BACKTRACE="enable=no")

        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        with self.logfile.open("w") as file:
            self.process = await asyncio.create_subprocess_exec(
                self.binary, "serve", "--state", str(self.state), env=environment,
                stdout=asyncio.subprocess.DEVNULL, stderr=file if log is None else log,
                preexec_fn=limit if descriptors else None
            )
        await listening(self.port, self.process, "the daemon")

    async def stop(self, patience=40):
        """Ends it in order; returns how it ended, None when it had to be killed."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.process.wait(), patience)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            return None

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    # What the system says.

    @property
    def _proc(self):
        return pathlib.Path(f"/proc/{self.process.pid}")

    def resident(self):
        """MiB in memory."""
        return int((self._proc / "statm").read_text().split()[1]) * PAGE / (1 << 20)

    def descriptors(self):
        """The number of open descriptors.

        Only root may list those of the daemon, since it is not dumpable; Linux 6.2 and later tell everybody their number.
        Where it cannot be known the result is NaN, which is neither above nor below any limit, and a line says so once.
        """
        if os.access(self._proc / "fd", os.R_OK):
            return len(os.listdir(self._proc / "fd"))
        if count := (self._proc / "fd").stat().st_size:
            return count
        if not self.is_uncounted:
            print("descriptors are not counted: before Linux 6.2 only root can", flush=True)
        self.is_uncounted = True
        return math.nan

    def descriptor_kinds(self):
        """The number of open descriptors by kind; empty for a user who may not list them."""
        kinds = {}
        for entry in (self._proc / "fd").iterdir() if os.access(self._proc / "fd", os.R_OK) else ():
            try:
                name = os.readlink(entry)
            except OSError:
                continue
            kind = name.split(":")[0] if ":" in name else name
            kinds[kind] = kinds.get(kind, 0) + 1
        return kinds

    def threads(self):
        return len(os.listdir(self._proc / "task"))

    def cpu(self):
        """Seconds used so far."""
        fields = (self._proc / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK


class Simulator:
    """`purser simulate`, as a seller or as a merchant that misbehaves."""

    def __init__(self, binary, *options):
        self.binary, self.options, self.port = binary, options, free_port()
        self.process = None

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            self.binary,
            "simulate",
            "--port",
            str(self.port),
            *self.options,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=sys.stderr,
        )
        await listening(self.port, self.process, "the simulator")

    async def stop(self):
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
