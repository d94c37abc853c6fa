"""What the tests of MCP servers share: a dragoman that calls them, and looks at processes."""

import contextlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import websockets
from frames import Turn, ask
from server import Server

FIXTURE = Path(__file__).parent / "mcp_server.py"
# A server that must be there is waited for, also on a busy machine.
READY = {"required": "true", "connect_timeout": "15s"}
# What the fixture's tests allow of it: all but `forbidden`.
ALLOWED = "echo,slow,huge,error,structured,crash,grow,extra,environment,deep,many,n*,sum*"


class Fixture:
    """The fixture server, and what it has recorded."""

    def __init__(self, folder: Path, mode: str | None = None):
        self.record = folder / f"record-{uuid.uuid4().hex}.jsonl"
        self.mode = mode
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    @property
    def stdio(self) -> dict[str, str]:
        """Settings of a dragoman that runs it."""
        options = ["--list", self.mode] if self.mode else []
        return {
            "mcp.fixture.command": sys.executable,
            "mcp.fixture.args": json.dumps([str(FIXTURE), str(self.record), *options]),
            "mcp.fixture.tools": ALLOWED,
        } | ready("fixture")

    @property
    def http(self) -> dict[str, str]:
        """Settings of a dragoman that connects to it."""
        url = {"mcp.fixture.url": f"http://127.0.0.1:{self.port}/mcp", "mcp.fixture.tools": ALLOWED}
        return url | ready("fixture")

    def start(self) -> "Fixture":
        """Serves HTTP; returns when it does."""
        command = [sys.executable, str(FIXTURE), str(self.record), "--http", str(self.port)]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until(lambda: answers(self.port))
        return self

    def kill(self) -> None:
        if self.process is not None:
            process, self.process = self.process, None
            process.kill()
            process.wait()

    def records(self, what: str) -> list[dict]:
        if not self.record.exists():
            return []
        lines = [json.loads(line) for line in self.record.read_text().splitlines()]
        return [line for line in lines if line["what"] == what]

    def pid(self) -> int:
        """The process that was started last."""
        return self.records("start")[-1]["pid"]


def ready(name: str) -> dict[str, str]:
    return {f"mcp.{name}.{key}": value for key, value in READY.items()}


def dragoman(settings: dict[str, str], calls: dict[str, tuple[str, dict]], **more: str) -> Server:
    """A dragoman that answers each question of `calls` by calling that tool."""
    scenarios = [
        {
            "when": {"exact": question},
            "steps": [[{"call": {"name": name, "arguments": arguments}}], [{"text": "Done."}]],
        }
        for question, (name, arguments) in calls.items()
    ]
    return Server({"scenarios": [*scenarios, {"steps": [[{"text": "Nothing to call."}]]}]}, **settings, **more)


async def call(server: Server, question: str, seconds: float = 30) -> tuple[dict, Turn]:
    """What the question's tool answered, and the turn, which must have gone well."""
    async with websockets.connect(server.ws(f"mcp-{uuid.uuid4().hex}"), max_size=None) as client:
        turn = await ask(client, question, seconds)
    assert turn.final["type"] == "agent", turn.final
    [tool] = turn.tools
    return json.loads(tool["content"]), turn


def until(holds: Callable[[], object], seconds: float = 15) -> None:
    """Waits, and fails if it does not come true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def is_alive(pid: int) -> bool:
    """True also for a zombie: nobody has taken its exit status."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def children(pid: int) -> list[int]:
    """The children of a process, zombies too."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.append(int(stat.parent.name))
    return found


class ToldTools:
    """A model server that fails every request, and keeps what it was told of tools."""

    def __init__(self):
        self.tools: list[dict] = []
        told = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                told.tools = [tool["function"] for tool in body["tools"]]
                self.send_response(400)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                """Says nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "model": "openai:test",
            "openai.base_url": f"http://127.0.0.1:{self.server.server_port}/v1",
            "openai.retries": "0",
        }

    async def told(self, server: Server) -> dict[str, dict]:
        """What a model is told now, by name."""
        async with websockets.connect(server.ws(f"mcp-{uuid.uuid4().hex}")) as client:
            turn = await ask(client, "What can you do?")
        assert turn.final["type"] == "error"
        return {tool["name"]: tool for tool in self.tools}
