"""Many sessions at once, each checked frame by frame, and the server's memory before and after.

Every session asks questions whose answers are known, different from its neighbours'. The first rounds let allocator,
store and caches reach their size; the last one is measured, with sessions the server has never seen.
"""

import argparse
import asyncio
import json
import resource
import statistics
import sys
import time
import uuid

import websockets
from frames import Turn
from server import Server

WARM_UP_ROUNDS = 2
SCENARIOS = 50
PIECES = 8
PAUSE_MS = 200
CONNECTING_AT_ONCE = 100
ROUND_SECONDS = 300
MEMORY_TOLERANCE = 0.10


def question(number: int) -> str:
    return f"question {number}?"


def halves(number: int) -> tuple[str, str]:
    """What is said before and after the tools are used."""
    words = " ".join(f"word-{number}-{position}" for position in range(40))
    return f"Answer {number} begins. {words}", f"{words} Answer {number} ends."


def answer(number: int) -> str:
    """Steps of an answer are paragraphs."""
    return "\n\n".join(halves(number))


def script() -> dict:
    def say(text: str) -> dict:
        return {"cut": {"text": text, "characters": len(text) * 2 // PIECES + 1, "pause_ms": PAUSE_MS}}

    call = {"call": {"name": "search_columns", "arguments": {"query": "supplier"}}}
    return {
        "scenarios": [
            {
                "when": {"exact": question(number)},
                "steps": [[say(halves(number)[0]), call], [say(halves(number)[1])]],
            }
            for number in range(SCENARIOS)
        ]
    }


class Round:
    """Counts what happens while all sessions are at it."""

    def __init__(self, sessions: int, turns: int):
        self.sessions, self.turns = sessions, turns
        self.frames = self.partials = self.tools = 0
        self.running = self.most_running = 0
        self.first_text: list[float] = []
        self.durations: list[float] = []
        self.owners: dict[str, int] = {}
        self.everybody = asyncio.Barrier(sessions)
        self.connecting = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def run(self, server: Server) -> float:
        began = time.monotonic()
        async with asyncio.timeout(ROUND_SECONDS), asyncio.TaskGroup() as group:
            for number in range(self.sessions):
                group.create_task(self.session(server, number))
        return time.monotonic() - began

    async def session(self, server: Server, number: int) -> None:
        connection = websockets.connect(
            server.ws(f"load-{uuid.uuid4().hex}"), compression=None, ping_interval=None, open_timeout=60
        )
        async with self.connecting:
            socket = await connection
        try:
            await self.everybody.wait()
            for turn in range(self.turns):
                await self.turn(socket, number, (number * self.turns + turn) % SCENARIOS)
        finally:
            await socket.close()

    async def turn(self, socket, session: int, number: int) -> None:
        turn, began, first = Turn(question(number)), time.monotonic(), None
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await socket.send(json.dumps({"content": turn.question}))
        last = False
        while not last:
            frame = json.loads(await socket.recv())
            if frame["type"] == "ping":
                continue
            last = turn.take(frame)
            self.frames += 1
            if first is None and turn.partials:
                first = time.monotonic() - began
        self.running -= 1
        assert turn.final["type"] == "agent", turn.final
        assert turn.final["content"] == answer(number), f"not the answer to {turn.question}: {turn.final}"
        assert [tool["tool_name"] for tool in turn.tools] == ["search_columns"]
        assert self.owners.setdefault(turn.turn_id, session) == session, "one turn in two sessions"
        self.first_text.append(first)
        self.durations.append(time.monotonic() - began)
        self.partials += turn.partials
        self.tools += len(turn.tools)

    def check(self) -> None:
        asked = self.sessions * self.turns
        assert len(self.durations) == len(self.owners) == asked
        assert self.most_running == self.sessions, "the sessions did not run at the same time"


async def settled_kib(server: Server) -> int:
    """The server's memory, once it has closed what was closed."""
    lowest = server.resident_kib()
    for _ in range(10):
        await asyncio.sleep(0.5)
        lowest = min(lowest, server.resident_kib())
    return lowest


def row(what: str, value: str) -> None:
    print(f"| {what:<42} | {value:>22} |")


def percentiles(values: list[float]) -> str:
    cuts = statistics.quantiles(values, n=100)
    return f"{cuts[49] * 1000:,.0f} / {cuts[98] * 1000:,.0f} ms"


async def main(arguments: argparse.Namespace) -> int:
    with Server(script()) as server:
        fresh = server.resident_kib()
        for _ in range(WARM_UP_ROUNDS):
            warm_up = Round(arguments.sessions, arguments.turns)
            await warm_up.run(server)
            warm_up.check()
        before = await settled_kib(server)
        measured = Round(arguments.sessions, arguments.turns)
        seconds = await measured.run(server)
        measured.check()
        during = server.resident_kib()
        after = await settled_kib(server)
    ideal = PIECES * PAUSE_MS
    row("sessions at once × turns", f"{arguments.sessions:,} × {arguments.turns}")
    row(
        "frames checked, of them partials, tools",
        f"{measured.frames:,}, {measured.partials:,}, {measured.tools:,}",
    )
    row("violations", "0")
    row("duration, frames a second", f"{seconds:.1f} s, {measured.frames / seconds:,.0f}")
    row("first text, median / 99 %", percentiles(measured.first_text))
    row(f"turn ({ideal} ms of model), median / 99 %", percentiles(measured.durations))
    row("memory at start, with all connected", f"{fresh:,}, {during:,} KiB")
    row("memory before and after the round", f"{before:,}, {after:,} KiB")
    change = after / before - 1
    row("change", f"{change:+.1%}")
    if abs(change) > MEMORY_TOLERANCE:
        print(f"The memory did not come back to within {MEMORY_TOLERANCE:.0%} of what it was.")
        return 1
    return 0


def raise_open_files() -> None:
    """One descriptor a connection, here and in the server, which inherits the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--turns", type=int, default=3)
    raise_open_files()
    sys.exit(asyncio.run(main(parser.parse_args())))
