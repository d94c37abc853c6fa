"""A dragoman process under test: started on free ports, awaited, and stopped by its pid."""

import atexit
import ctypes
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

START_SECONDS = 20
STOP_SECONDS = 30
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)
_numbers = itertools.count(1)


def die_with_parent() -> None:
    """In a child, before it is another program: the kernel ends it if this process goes without doing so."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """Runs `dragoman serve` with a store of its own; settings are given by key, as in its configuration file."""

    def __init__(self, script: dict | None = None, **settings: str):
        """`script` is played by the scripted model; without one the guide answers, as fast as it can."""
        self.folder = Path(tempfile.mkdtemp(prefix="dragoman-test-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.log = self.folder / "server.log"
        model = "guide"
        if script is not None:
            file = self.folder / "script.json"
            file.write_text(json.dumps(script))
            model = f"scripted:{file}"
        self.settings = {
            "http": "127.0.0.1:0",
            "grpc": "127.0.0.1:0",
            "store": f"sqlite:{self.folder / 'sessions.db'}",
            "model": model,
            "guide_pace": "0s",
        } | {key.replace("__", "."): value for key, value in settings.items()}
        self.process: subprocess.Popen | None = None
        self.http = ""
        self.grpc = ""

    def start(self) -> "Server":
        """Returns when the server is ready."""
        executable = os.environ.get("DRAGOMAN")
        if not executable:
            raise RuntimeError("DRAGOMAN must name the executable under test: run these tests with tests/run")
        variables = {"DRAGOMAN_" + key.upper().replace(".", "_"): value for key, value in self.settings.items()}
        began = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [executable, "serve"],
                env=os.environ | variables,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready(began):
            if self.process.poll() is not None:
                raise RuntimeError(f"dragoman ended with {self.process.returncode}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"dragoman was not ready after {START_SECONDS} s:\n{self.log_tail()}")
            time.sleep(0.02)
        return self

    def stop(self) -> int:
        """Asks the server to end, as systemd or Kubernetes does, and returns its exit code."""
        if self.process is None:
            return 0
        process, self.process = self.process, None
        process.terminate()
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise RuntimeError(f"dragoman did not stop within {STOP_SECONDS} s:\n{self.log_tail()}") from None

    def kill(self) -> None:
        """Ends the server as a crash would: it gets no chance to tidy up."""
        if self.process is not None:
            process, self.process = self.process, None
            process.kill()
            process.wait()

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, kind, error, trace) -> None:
        code = self.stop()
        if kind is None:
            assert code == 0, f"dragoman ended with {code}:\n{self.log_tail()}"
            assert "panicked" not in self.log.read_text(), self.log_tail()

    @property
    def pid(self) -> int:
        assert self.process is not None, "the server does not run"
        return self.process.pid

    def url(self, path: str) -> str:
        return f"http://{self.http}{path}"

    def ws(self, session: str, query: str = "") -> str:
        return f"ws://{self.http}/ws/{session}{query}"

    def resident_kib(self) -> int:
        """Memory of the process that is in use (VmRSS)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE).group(1))

    def log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])

    def _is_ready(self, began: int) -> bool:
        printed = self.log.read_bytes()[began:].decode(errors="replace")
        http = re.search(r"on http://([\w.\[\]:]+:\d+)", printed)
        grpc = re.search(r"grpc[^\n]*?([\d.]+:[1-9]\d*)", printed, re.IGNORECASE)
        # A gateway alone has no gRPC port.
        if not http or not (grpc or self.settings.get("only") == "gateway"):
            return False
        self.http, self.grpc = http.group(1), grpc.group(1) if grpc else ""
        try:
            with urllib.request.urlopen(self.url("/readyz"), timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False
