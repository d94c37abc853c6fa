"""A gRPC client that follows a session with its cursor, over any agent, and the log as gRPC tells it."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import grpc
from dragoman.chat.v1 import chat_pb2 as pb
from dragoman.chat.v1 import chat_pb2_grpc

# As long as a turn under test may be silent: then the follower tries another agent.
SILENCE_SECONDS = 3.0
READ_SECONDS = 10.0
OPTIONS = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]


@dataclass
class Stream:
    """What one stream brought."""

    after: pb.Cursor
    events: list[pb.Event] = field(default_factory=list)
    # Texts of turns as they grew: turn id and the text, after every change.
    texts: list[tuple[str, str]] = field(default_factory=list)
    reset: bool = False
    ended: str = ""


@dataclass
class Log:
    """A session's log, read to its end."""

    events: list[pb.Event]
    running_turn: str


class Follower:
    """Follows one session until it is told to leave."""

    def __init__(self, name: str, session: str, doors: Sequence[int], rng: random.Random):
        self.name, self.session, self.doors, self.rng = name, session, list(doors), rng
        self.streams: list[Stream] = []
        self.cursor = pb.Cursor(seq=0)
        self._task: asyncio.Task | None = None

    def open(self) -> None:
        self._task = asyncio.create_task(self._live())

    async def leave(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _live(self) -> None:
        while True:
            stream = Stream(self.cursor)
            self.streams.append(stream)
            door = self.rng.choice(self.doors)
            async with grpc.aio.insecure_channel(f"127.0.0.1:{door}", options=OPTIONS) as channel:
                try:
                    await self._follow(channel, stream)
                except grpc.aio.AioRpcError as error:
                    stream.ended = f"{error.code().name} {error.details()}"
                except TimeoutError:
                    stream.ended = "silent"
            await asyncio.sleep(self.rng.uniform(0.05, 0.2))

    async def _follow(self, channel: grpc.aio.Channel, stream: Stream) -> None:
        call = chat_pb2_grpc.ChatStub(channel).Converse()
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                await call.write(pb.ConverseRequest(open=pb.Open(session_id=self.session, after=stream.after)))
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    response = await call.read()
                if response is grpc.aio.EOF:
                    stream.ended = f"{(await call.code()).name} {await call.details()}"
                    return
                if response.HasField("go_away"):
                    stream.ended = "sent away"
                    return
                self._take(stream, response)
        finally:
            call.cancel()

    def _take(self, stream: Stream, response: pb.ConverseResponse) -> None:
        match response.WhichOneof("response"):
            case "event":
                event = response.event
                stream.events.append(event)
                self.cursor = pb.Cursor(seq=event.seq, fingerprint=event.fingerprint)
            case "text":
                text = response.text
                before = stream.texts[-1] if stream.texts else ("", "")
                if text.WhichOneof("change") == "replace":
                    stream.texts.append((text.turn_id, text.replace))
                else:
                    # An `append` to nothing is as wrong as one to another turn: it will not fit the log.
                    stream.texts.append((text.turn_id, before[1] + text.append))
            case "reset":
                stream.reset = True
                self.cursor = pb.Cursor(seq=0)


async def read_log(port: int, session: str) -> Log:
    """The whole log, over a stream whose client side is closed: it ends where the log ends."""
    log = Log([], "")
    async with (
        asyncio.timeout(READ_SECONDS),
        grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS) as channel,
    ):
        call = chat_pb2_grpc.ChatStub(channel).Converse()
        await call.write(pb.ConverseRequest(open=pb.Open(session_id=session, after=pb.Cursor(seq=0))))
        await call.done_writing()
        async for response in call:
            if response.HasField("opened"):
                log.running_turn = response.opened.running_turn_id
            elif response.HasField("event"):
                log.events.append(response.event)
    return log


async def read_log_when_there(port: int, session: str, seconds: float) -> Log:
    """As `read_log`, tried again while the service cannot say."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        try:
            return await read_log(port, session)
        except (grpc.aio.AioRpcError, TimeoutError):
            if loop.time() > deadline:
                raise
        await asyncio.sleep(0.2)
