"""What a checking client holds the WebSocket protocol to, one turn at a time."""

import asyncio
import json
import re
from datetime import datetime

FINALS = ("agent", "error")
# A longer answer has to be announced by a partial.
FEW_CHARACTERS = 60


class Violation(AssertionError):
    """The server broke the protocol."""


class Turn:
    """Takes the frames of one turn, in order, and raises `Violation` at the first that breaks a rule."""

    def __init__(self, question: str, replayed: bool = False):
        """`replayed`: it comes from the log, which holds no partials."""
        self.question = question
        self.replayed = replayed
        self.text = ""
        self.partials = 0
        self.tools: list[dict] = []
        self.final: dict | None = None
        self.turn_id: str | None = None
        self.trace_id: str | None = None
        self.first_seq = 0
        self.seq = 0

    def take(self, frame: dict) -> bool:
        """Checks one frame and tells whether it was the last one."""
        kind = frame.get("type")
        self._check(self.final is None, frame, "after the final frame of its turn")
        if self.turn_id is None:
            self._begin(frame)
            return False
        self._check(frame.get("turn_id") == self.turn_id, frame, "of another turn")
        self._check(frame.get("trace_id") == self.trace_id, frame, "of another trace")
        datetime.fromisoformat(frame["timestamp"])
        if kind == "agent_partial":
            self._grow(frame)
            return False
        self._check(frame["seq"] > self.seq, frame, f"of seq {frame['seq']} after {self.seq}")
        self.seq = frame["seq"]
        if kind == "tool":
            json.loads(frame["content"])
            self._check(isinstance(frame["tool_name"], str), frame, "without a tool's name")
            self.tools.append(frame)
            return False
        self._check(kind in FINALS, frame, "of an unknown type")
        self._finish(frame)
        return True

    def _begin(self, frame: dict) -> None:
        self._check(frame.get("type") == "user", frame, "before the echo of the question")
        self._check(frame["content"] == self.question, frame, "echoes another question")
        self.turn_id, self.trace_id = frame["turn_id"], frame["trace_id"]
        self._check(bool(re.fullmatch(r"[0-9a-f]{32}", self.trace_id)), frame, "without a W3C trace id")
        datetime.fromisoformat(frame["timestamp"])
        self.first_seq = self.seq = frame["seq"]

    def _grow(self, frame: dict) -> None:
        if "delta" in frame:
            self._check(self.partials > 0 and "content" not in frame, frame, "appends to nothing")
            text = self.text + frame["delta"]
        else:
            text = frame["content"]
        self._check(text.startswith(self.text), frame, f"does not begin with the partial before: {self.text!r}")
        self._check(len(text) > len(self.text), frame, "repeats the partial before")
        self.text = text
        self.partials += 1

    def _finish(self, frame: dict) -> None:
        self.final = frame
        if frame["type"] == "error":
            self._check(frame["content"].startswith("Agent error: "), frame, "does not begin with `Agent error: `")
            return
        answer = frame["content"]
        self._check(answer.startswith(self.text), frame, f"does not begin with the last partial: {self.text!r}")
        announced = self.partials > 0 or self.replayed or len(answer) <= FEW_CHARACTERS
        self._check(announced, frame, "came without a partial")
        # user, a call and a result for each tool, agent: what the log holds of this turn, and nothing is missing.
        events = 2 + 2 * len(self.tools)
        span = self.seq - self.first_seq + 1
        self._check(span == events, frame, f"ends {span} log entries, {events} were seen")

    def _check(self, holds: bool, frame: dict, what: str) -> None:
        if not holds:
            raise Violation(f"a frame {what}: {json.dumps(frame)[:500]}")


async def receive(socket, seconds: float = 10) -> dict:
    """The next frame that is no `ping`."""
    async with asyncio.timeout(seconds):
        while True:
            text = await socket.recv()
            assert isinstance(text, str), "a binary frame"
            frame = json.loads(text)
            if frame["type"] != "ping":
                return frame


async def follow(socket, question: str, seconds: float = 30, replayed: bool = False) -> Turn:
    """Reads a turn to its end."""
    turn = Turn(question, replayed)
    async with asyncio.timeout(seconds):
        while not turn.take(await receive(socket, seconds)):
            pass
    return turn


async def ask(socket, question: str, seconds: float = 30, **optional) -> Turn:
    """Asks and reads the turn to its end."""
    await socket.send(json.dumps({"content": question, **optional}))
    return await follow(socket, question, seconds)


async def silent(socket, seconds: float = 0.3) -> None:
    """Nothing comes, for a while."""
    try:
        frame = await receive(socket, seconds)
    except TimeoutError:
        return
    raise Violation(f"a frame nobody asked for: {json.dumps(frame)[:500]}")
