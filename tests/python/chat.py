"""A client of the Chat service, from the code that protoc made of the schema."""

import grpc
from dragoman.chat.v1 import chat_pb2 as pb
from dragoman.chat.v1 import chat_pb2_grpc
from google.rpc import status_pb2

FINALS = ("agent", "error")


def question(content: str, request_id: str = "", traceparent: str = "") -> pb.Question:
    context = pb.TraceContext(traceparent=traceparent) if traceparent else None
    return pb.Question(content=content, request_id=request_id, trace_context=context)


def ask_request(session: str, content: str, **optional: str) -> pb.AskRequest:
    return pb.AskRequest(session_id=session, question=question(content, **optional))


def details(status: status_pb2.Status, kind: type) -> list:
    """The details of `status` that are of this kind."""
    found = []
    for detail in status.details:
        message = kind()
        if detail.Unpack(message):
            found.append(message)
    return found


class Text:
    """Keeps the running turn's text by the rule of the schema: replaced, then appended to."""

    def __init__(self):
        self.value: str | None = None

    def take(self, text: pb.Text) -> None:
        if text.WhichOneof("change") == "replace":
            assert self.value is None or text.replace.startswith(self.value), "the text did not only grow"
            self.value = text.replace
        else:
            assert self.value is not None, "something was appended to a text that never began"
            self.value += text.append


class Conversation:
    """An open `Converse` stream."""

    def __init__(self, channel: grpc.aio.Channel):
        self.call = chat_pb2_grpc.ChatStub(channel).Converse()
        self.opened: pb.Opened | None = None
        self.text = Text()
        self.speaking = ""

    async def open(self, session: str, after: pb.Cursor | None = None) -> "Conversation":
        await self.write(open=pb.Open(session_id=session, after=after))
        self.opened = (await self.next()).opened
        return self

    async def write(self, **request) -> None:
        await self.call.write(pb.ConverseRequest(**request))

    async def ask(self, content: str, **optional: str) -> None:
        await self.write(ask=question(content, **optional))

    async def next(self) -> pb.ConverseResponse:
        response = await self.call.read()
        if response is grpc.aio.EOF:
            raise AssertionError(f"the stream ended: {await self.call.code()} {await self.call.details()}")
        if response.HasField("text"):
            if response.text.turn_id != self.speaking:
                self.text, self.speaking = Text(), response.text.turn_id
            self.text.take(response.text)
        return response

    async def until(self, kind: str) -> pb.ConverseResponse:
        """Skips to the next response of this kind."""
        while True:
            response = await self.next()
            if response.WhichOneof("response") == kind:
                return response

    async def turn(self) -> list[pb.Event]:
        """Reads the events of a turn to its final one."""
        events: list[pb.Event] = []
        while True:
            event = (await self.until("event")).event
            if events:
                assert event.seq == events[-1].seq + 1, f"seq {event.seq} after {events[-1].seq}"
                assert event.turn_id == events[0].turn_id
            events.append(event)
            if event.HasField("agent") and event.turn_id == self.speaking:
                assert event.agent.content.startswith(self.text.value)
            if event.WhichOneof("body") in FINALS:
                return events
