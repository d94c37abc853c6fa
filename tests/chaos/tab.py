"""A browser's tab: it connects, asks, loses its connection and comes back by itself, and writes down what it sees.

There are two kinds. One speaks with a cursor (`?after=`) and message ids, and sends again what was not acknowledged.
The other is the frontend in production: no cursor, no ids, nothing is sent twice, and its input stays locked from
`user` until `agent` or `error`.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import websockets
from websockets.asyncio.client import ClientConnection, connect

FINALS = ("agent", "error")
# Longer than three of the pings the gateways under test send.
SILENCE_SECONDS = 4.0
OPEN_SECONDS = 3.0
BACK_OFF = (0.05, 1.0)
RESEND_SECONDS = 0.5


@dataclass
class Question:
    """A question, and what became of it."""

    content: str
    id: str | None
    sent: int = 0
    # Its echo came back, or a frame of its turn.
    acknowledged: bool = False
    # It was refused by an `error` of its own, or by one of the connection.
    refused: list[str] = field(default_factory=list)
    # The connection ended after it was sent and before anything was heard of it.
    cut_off: bool = False
    turn: str = ""
    final: dict | None = None
    # It has an end, or a reason to have none.
    settled: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Connection:
    """What was seen on one connection."""

    # Position the client named; `None` without a cursor.
    after: int | None
    opened: bool = False
    frames: list[dict] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    # Message ids that were sent on it, again or for the first time.
    sent: set[str] = field(default_factory=set)
    closed: str = ""
    code: int | None = None


class Tab:
    """One tab on one session."""

    def __init__(self, name: str, session: str, doors: Sequence[int], rng: random.Random, cursor: bool):
        """`doors` are ports of gateways; any of them will do, which is taken is chance."""
        self.name, self.session, self.cursor = name, session, cursor
        self.doors, self.rng = list(doors), rng
        self.connections: list[Connection] = []
        self.questions: list[Question] = []
        self.seq = 0
        # Called with every frame, as it comes.
        self.hooks: list[Callable[[dict], None]] = []
        # Leaves and comes back after every frame, as somebody who keeps pressing the button does.
        self.refreshing = False
        # Does not read while this is not set.
        self.reading = asyncio.Event()
        self.reading.set()
        self.door = 0
        self.port = 0
        self.online = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task | None = None
        self._resender: asyncio.Task | None = None

    def open(self) -> None:
        self._task = asyncio.create_task(self._live())
        if self.cursor:
            self._resender = asyncio.create_task(self._resend())

    async def leave(self) -> None:
        """Closes for good."""
        for task in (self._resender, self._task):
            if task is not None:
                task.cancel()
        tasks = [task for task in (self._resender, self._task) if task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ask(self, content: str) -> Question:
        message_id = f"{self.name}-{len(self.questions) + 1}".replace(" ", "_")
        question = Question(content, message_id if self.cursor else None)
        self.questions.append(question)
        if self.cursor:
            await self._send(question)
            return question
        # The old frontend sends only while it is connected.
        while not question.sent:
            await self.online.wait()
            await self._send(question)
        return question

    async def cancel(self) -> None:
        """Stops whatever turn of its session runs."""
        await self.online.wait()
        await self._socket.send(json.dumps({"type": "cancel"}))

    async def approve(self, call_id: str, approved: bool) -> None:
        """Says, once, whether a tool may be run."""
        await self.online.wait()
        await self._socket.send(json.dumps({"type": "approve", "call_id": call_id, "approved": approved}))

    @property
    def locked(self) -> bool:
        """Whether the production frontend's input would be locked: `user` locks it, an answer or error unlocks it."""
        for connection in reversed(self.connections):
            for frame in reversed(connection.frames):
                if frame["type"] in ("user", *FINALS):
                    return frame["type"] == "user"
        return False

    def waiting(self) -> list[Question]:
        """Questions that have neither an end nor a reason to have none."""
        return [question for question in self.questions if not question.settled.is_set()]

    async def until(self, fits: Callable[[dict], bool], seconds: float = 20) -> dict:
        """The next frame that fits."""
        found = asyncio.get_running_loop().create_future()

        def hook(frame: dict) -> None:
            if not found.done() and fits(frame):
                found.set_result(frame)

        self.hooks.append(hook)
        try:
            async with asyncio.timeout(seconds):
                return await found
        finally:
            self.hooks.remove(hook)

    async def _live(self) -> None:
        back_off = BACK_OFF[0]
        try:
            while True:
                connection = Connection(self.seq if self.cursor else None)
                self.connections.append(connection)
                with contextlib.suppress(OSError, TimeoutError, EOFError, websockets.WebSocketException):
                    await self._connect(connection)
                self._ended(connection)
                if connection.frames and (self.refreshing or connection.code == 1001):
                    back_off = 0.0
                elif connection.opened:
                    back_off = BACK_OFF[0]
                await asyncio.sleep(back_off * self.rng.uniform(0.5, 1.0))
                back_off = min(max(back_off, BACK_OFF[0] / 2) * 2, BACK_OFF[1])
        finally:
            self.online.clear()
            if self._socket is not None:
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(2):
                        await self._socket.close()

    async def _connect(self, connection: Connection) -> None:
        self.door = self.rng.choice(self.doors)
        query = f"?after={connection.after}" if self.cursor else ""
        opening = connect(
            f"ws://127.0.0.1:{self.door}/ws/{self.session}{query}",
            compression=None,
            ping_interval=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=0.5,
            max_queue=1024,
            proxy=None,
        )
        self._socket = await opening
        self.port = self._socket.local_address[1]
        connection.opened = True
        self.online.set()
        if self.cursor:
            for question in self.waiting():
                if not question.acknowledged:
                    await self._send(question)
        try:
            while True:
                await self.reading.wait()
                # Not `wait_for`: before Python 3.12 it forgets a cancellation that comes together with a frame.
                async with asyncio.timeout(SILENCE_SECONDS):
                    text = await self._socket.recv()
                self._take(connection, json.loads(text))
                if self.refreshing and connection.frames:
                    connection.closed = "refreshed"
                    return
        except TimeoutError:
            connection.closed = "silent"
        except websockets.ConnectionClosed as closed:
            connection.closed = str(closed)
            connection.code = closed.rcvd.code if closed.rcvd else None
        finally:
            self.online.clear()
            self._socket.transport.abort()

    def _take(self, connection: Connection, frame: dict) -> None:
        if frame["type"] == "ping":
            return
        connection.frames.append(frame)
        connection.times.append(time.monotonic())
        if frame["type"] == "gap":
            self.seq = 0
        if self.cursor:
            self.seq = max(self.seq, frame.get("seq", 0))
        self._settle(frame)
        for hook in list(self.hooks):
            hook(frame)

    def _settle(self, frame: dict) -> None:
        kind = frame["type"]
        for question in self.questions:
            if kind == "user" and self._is_echo(frame, question):
                question.acknowledged, question.turn = True, frame["turn_id"]
            elif kind in FINALS and question.turn and frame.get("turn_id") == question.turn:
                question.final = frame
                question.settled.set()
            elif kind == "error" and "turn_id" not in frame and not question.acknowledged and question.sent:
                self._refuse(frame, question)

    def _refuse(self, frame: dict, question: Question) -> None:
        # The old client cannot tell which question is meant: any error unlocks it.
        if not self.cursor:
            question.settled.set()
        elif frame.get("id") != question.id:
            return
        question.refused.append(frame["content"])

    def _is_echo(self, frame: dict, question: Question) -> bool:
        return frame["content"] == question.content and question.id in (None, frame.get("id"))

    def _ended(self, connection: Connection) -> None:
        self._socket = None
        for question in self.questions:
            if question.sent and not question.acknowledged and connection.opened:
                question.cut_off = True
                if not self.cursor:
                    # The user saw the connection go and no echo: the question is to be asked anew.
                    question.settled.set()

    async def _send(self, question: Question) -> None:
        if self._socket is None:
            return
        frame = {"content": question.content}
        if question.id is not None:
            frame["id"] = question.id
        socket = self._socket
        try:
            await socket.send(json.dumps(frame))
        except (OSError, websockets.ConnectionClosed):
            # Whoever waits to be online would else try again at once, and keep the reader from noticing.
            if self._socket is socket:
                self.online.clear()
            return
        question.sent += 1
        if question.id is not None:
            self.connections[-1].sent.add(question.id)

    async def _resend(self) -> None:
        """What was refused for the time being is sent again, with its id, until it is taken."""
        while True:
            await asyncio.sleep(RESEND_SECONDS)
            for question in self.questions:
                if question.refused and not question.acknowledged:
                    await self._send(question)
