"""The processes under test: started on fixed ports, signalled, awaited, and ended by their pid."""

import asyncio
import contextlib
import itertools
import os
import random
import signal
import socket
import time
from pathlib import Path

START_SECONDS = 30
START_TRIES = 3
# The kernel ends a process if this one goes without doing so.
TIED = ["setpriv", "--pdeathsig", "KILL", "--"]
# Above 32768 a client that reconnects may be given the port it connects to, and connect to itself.
PORTS = range(20_000, 32_000)

_ports = itertools.cycle(random.SystemRandom().sample(PORTS, len(PORTS)))


def free_port() -> int:
    """A port nobody listens on, which is not given twice."""
    while True:
        port = next(_ports)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Process:
    """A program with a log file."""

    def __init__(self, name: str, folder: Path, command: list[str], environment: dict[str, str] | None = None):
        self.name, self.folder, self.command = name, folder, command
        self.environment = environment or {}
        self.log = folder / f"{name}.log"
        self.starts = 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def spawn(self) -> None:
        """Starts it, without waiting until it is ready."""
        self.starts += 1
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *TIED,
                *self.command,
                env=os.environ | {"RUST_BACKTRACE": "0", "HOME": str(self.folder)} | self.environment,
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def start(self) -> None:
        """Starts it and returns when it is ready."""
        await self.spawn()
        deadline, tries = time.monotonic() + START_SECONDS, 1
        while not await self.ready():
            # On a machine that is busy with other scenarios the store can take longer to answer than a start waits.
            if not self.running and "timed out" in self.log_tail() and tries < START_TRIES:
                tries += 1
                await self.spawn()
            if not self.running:
                raise RuntimeError(f"{self.name} ended with {self._process.returncode}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} was not ready after {START_SECONDS} s:\n{self.log_tail()}")
            await asyncio.sleep(0.03)

    async def ready(self) -> bool:
        raise NotImplementedError

    def signal(self, number: signal.Signals) -> None:
        if self.running:
            os.kill(self.pid, number)

    def signal_continue(self) -> None:
        """Wakes it if it was stopped."""
        self.signal(signal.SIGCONT)

    async def wait(self, seconds: float) -> int | None:
        """The exit code; `None` if it still runs after that time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._process.wait()
        except TimeoutError:
            return None

    async def kill(self) -> None:
        """Ends it as a crash would."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def stop(self, seconds: float) -> int | None:
        """Asks it to end, as systemd or Kubernetes does: the exit code, or `None` if it had to be killed."""
        if not self.running:
            return 0
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        code = await self.wait(seconds)
        if code is None:
            await self.kill()
        return code

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_tail(self, lines: int = 15) -> str:
        return "\n".join(line[:400] for line in self.log_text().splitlines()[-lines:])


class Dragoman(Process):
    """`dragoman serve` in one of its roles; settings are given by key, as in its configuration file."""

    def __init__(self, name: str, folder: Path, settings: dict[str, str], environment: dict[str, str] | None = None):
        self.http, self.grpc = free_port(), free_port()
        settings = {
            "http": f"127.0.0.1:{self.http}",
            "telemetry.log": "info,dragoman=debug",
            "telemetry.log_format": "text",
        } | settings
        if settings.get("only") != "gateway":
            settings["grpc"] = f"127.0.0.1:{self.grpc}"
        variables = {"DRAGOMAN_" + key.upper().replace(".", "_"): value for key, value in settings.items()}
        super().__init__(name, folder, [os.environ["DRAGOMAN"], "serve"], variables | (environment or {}))

    async def ready(self) -> bool:
        """Whether /readyz says so."""
        try:
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.http)
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                head = await reader.readline()
                writer.close()
                return b" 200 " in head
        except (OSError, TimeoutError):
            return False

    def browsers(self) -> int:
        """Open connections to its HTTP port."""
        return established(self.http)


class Redis(Process):
    """A `redis-server` with its append-only file on."""

    def __init__(
        self,
        name: str,
        folder: Path,
        replica_of: int | None = None,
        environment: dict[str, str] | None = None,
    ):
        self.port = free_port()
        data = folder / f"{name}-data"
        data.mkdir()
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(data)]
        command += ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--repl-diskless-sync-delay", "0"]
        command += ["--maxmemory-policy", "noeviction"]
        if replica_of is not None:
            command += ["--replicaof", "127.0.0.1", str(replica_of)]
        super().__init__(name, folder, command, environment)

    async def ready(self) -> bool:
        with contextlib.suppress(OSError, EOFError, RedisError):
            return await self.call("PING") == "PONG"
        return False

    async def call(self, *words: str | int) -> object:
        """One command, on a connection of its own."""
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                encoded = [str(word).encode() for word in words]
                parts = b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)
                writer.write(b"*%d\r\n%b" % (len(encoded), parts))
                return await _reply(reader)
            finally:
                writer.close()

    async def replicated(self) -> None:
        """Returns when this replica has what its primary has."""
        while True:
            if "master_link_status:up" in str(await self.call("INFO", "replication")):
                return
            await asyncio.sleep(0.05)

    async def caught_up(self, primary: "Redis") -> None:
        """Returns when this replica has everything that was written to the primary."""
        while True:
            theirs, ours = await primary.offset("master_repl_offset"), await self.offset("slave_repl_offset")
            if theirs == ours:
                return
            await asyncio.sleep(0.02)

    async def offset(self, name: str) -> int:
        text = str(await self.call("INFO", "replication"))
        return int(text.split(f"{name}:")[1].split()[0])


class RedisError(Exception):
    """What Redis refused."""


async def _reply(reader: asyncio.StreamReader) -> object:
    line = (await reader.readuntil(b"\r\n"))[:-2]
    kind, rest = line[:1], line[1:].decode()
    match kind:
        case b"+":
            return rest
        case b"-":
            raise RedisError(rest)
        case b":":
            return int(rest)
        case b"$":
            if rest == "-1":
                return None
            return (await reader.readexactly(int(rest) + 2))[:-2].decode(errors="replace")
        case _:
            return [await _reply(reader) for _ in range(int(rest))]


def established(port: int) -> int:
    """Connections that were accepted on the port and not closed: established, or closed by the other side only."""
    count = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rsplit(":", 1)[1], 16) == port and fields[3] in ("01", "08"):
            count += 1
    return count
