"""A PostgreSQL server under test, from Debian's programs: started on a free port, and stopped by its pid."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

START_SECONDS = 30
# Where Debian has the programs of each version.
VERSIONS = Path("/usr/lib/postgresql")


class PostgresServer:
    """Runs until it is left. Only the superuser `owner`, on the Unix socket, needs no password."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "PostgresServer":
        self._give_away()
        authentication = ["--auth-local=trust", "--auth-host=scram-sha-256"]
        encoding = ["--encoding=UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", "--username=owner", *authentication, *encoding, str(self.data))
        place = ["-D", str(self.data), "-k", str(self.folder), "-p", str(self.port)]
        self.process = subprocess.Popen(
            [program("postgres"), *place, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **somebody(),
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        # Every connection and every child ends with it.
        self.process.send_signal(signal.SIGINT)
        self.process.wait(START_SECONDS)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def run(self, statements: str):
        """As the superuser, all or nothing."""
        once = ["--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        self._run("psql", *once, *self._place(), "--dbname=postgres", text=statements)

    def _answers(self) -> bool:
        asked = subprocess.run(
            [program("pg_isready"), "--quiet", *self._place()], cwd=self.folder, check=False, **somebody()
        )
        return asked.returncode == 0

    def _place(self) -> list[str]:
        return [f"--host={self.folder}", f"--port={self.port}", "--username=owner"]

    def _run(self, name: str, *arguments: str, text: str | None = None):
        done = subprocess.run(
            [program(name), *arguments],
            cwd=self.folder,
            input=text,
            capture_output=True,
            encoding="utf-8",
            check=False,
            **somebody(),
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _give_away(self):
        if who := somebody():
            shutil.chown(self.folder, **who)


def somebody() -> dict[str, int]:
    """Who runs the server, if this is root: who may not."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


def program(name: str) -> str:
    """A program of the newest version there is."""
    versions = [int(path.name) for path in VERSIONS.glob("*") if path.name.isdigit()]
    if not versions:
        raise RuntimeError("PostgreSQL is needed: run these tests with tests/run")
    return str(VERSIONS / str(max(versions)) / "bin" / name)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
