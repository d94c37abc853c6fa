"""`Converse` in the same session as an open WebSocket: both sides see the same turns."""

import asyncio
import json

import grpc
import pytest
import websockets
from dragoman.chat.v1 import chat_pb2 as pb
from frames import ask, follow, receive
from google.rpc import error_details_pb2
from script import SHORT_TEXT, SLOW_TEXT

from chat import Conversation, details


@pytest.fixture
async def channel(scripted):
    async with grpc.aio.insecure_channel(scripted.grpc) as channel:
        yield channel


@pytest.fixture
async def conversation(channel, session):
    return await Conversation(channel).open(session)


@pytest.fixture
async def socket(scripted, session, conversation):
    async with websockets.connect(scripted.ws(session)) as socket:
        # An answer tells that the connection follows its session.
        await ask(socket, "Hello")
        await conversation.turn()
        yield socket


async def test_open_tells_where_the_session_stands(conversation, channel, session):
    assert conversation.opened.end.seq == 0
    assert conversation.opened.limits.question_bytes == 16 * 1024
    assert conversation.opened.limits.rate_questions == 20
    assert conversation.opened.limits.rate_window.ToTimedelta().total_seconds() == 60
    await conversation.ask("answer slowly")
    accepted = (await conversation.until("accepted")).accepted
    other = await Conversation(channel).open(session)
    assert other.opened.running_turn_id == accepted.turn_id
    assert other.opened.end.seq == 1


async def test_a_question_of_the_stream_is_a_turn_for_the_browser(conversation, socket):
    await conversation.ask("answer with tools", request_id="from-grpc")
    accepted = (await conversation.until("accepted")).accepted
    assert accepted.request_id == "from-grpc"
    events, turn = await asyncio.gather(conversation.turn(), follow(socket, "answer with tools"))
    assert turn.turn_id == accepted.turn_id == events[-1].turn_id
    assert turn.trace_id == accepted.trace_id == events[-1].trace_id
    assert turn.final["content"] == events[-1].agent.content
    assert turn.final["seq"] == events[-1].seq
    results = {event.seq: event.tool_result for event in events if event.HasField("tool_result")}
    assert len(results) == 2
    for frame in turn.tools:
        assert frame["tool_name"] == results[frame["seq"]].name
        assert json.loads(frame["content"]) == json.loads(results[frame["seq"]].content)


async def test_a_question_of_the_browser_is_a_turn_for_the_stream(conversation, socket):
    events, turn = await asyncio.gather(conversation.turn(), ask(socket, "answer slowly"))
    assert {event.turn_id for event in events} == {turn.turn_id}
    assert {event.trace_id for event in events} == {turn.trace_id}
    assert events[0].user.content == "answer slowly"
    assert events[-1].agent.content == turn.final["content"] == SLOW_TEXT


async def test_either_side_can_cancel(conversation, socket):
    await socket.send(json.dumps({"content": "answer for ever"}))
    running = (await conversation.until("event")).event.turn_id
    await conversation.write(cancel=pb.Cancel(turn_id=running))
    events, turn = await asyncio.gather(conversation.turn(), follow(socket, "answer for ever"))
    assert events[-1].agent.finish == pb.FINISH_CANCELLED
    assert turn.final["finish"] == "cancelled"
    assert turn.final["content"] == events[-1].agent.content

    await conversation.ask("answer for ever")
    turn_id = (await receive(socket))["turn_id"]
    await socket.send(json.dumps({"type": "cancel", "turn_id": turn_id}))
    assert (await conversation.turn())[-1].agent.finish == pb.FINISH_CANCELLED


async def test_a_cancel_is_not_lost_however_soon_it_comes(channel, scripted, session):
    async def cancel_at_once(number: int) -> None:
        watching = await Conversation(channel).open(f"{session}-{number}")
        async with websockets.connect(scripted.ws(f"{session}-{number}")) as asking:
            await asking.send(json.dumps({"content": "answer for ever"}))
            turn_id = (await watching.until("event")).event.turn_id
            await watching.write(cancel=pb.Cancel(turn_id=turn_id))
            turn = await follow(asking, "answer for ever", seconds=5)
            assert turn.final["finish"] == "cancelled"

    for _ in range(20):
        await asyncio.gather(*(cancel_at_once(number) for number in range(50)))
        session += "-"


async def test_a_question_waits_for_the_turn_of_the_other_side(conversation, socket):
    await socket.send(json.dumps({"content": "answer slowly"}))
    assert (await conversation.until("event")).event.user.content == "answer slowly"
    await conversation.ask("Hello", request_id="waiting")
    queued = (await conversation.until("queued")).queued
    assert (queued.request_id, queued.ahead) == ("waiting", 0)
    assert (await conversation.turn())[-1].agent.content == SLOW_TEXT
    assert (await conversation.turn())[-1].agent.content == SHORT_TEXT
    assert (await follow(socket, "answer slowly")).seq + 1 == (await follow(socket, "Hello")).first_seq


async def test_both_sides_count_for_the_rate_limit(conversation, socket):
    for _ in range(10):
        await ask(socket, "Hello")
        await conversation.turn()
    for _ in range(9):
        await conversation.ask("Hello")
        await asyncio.gather(conversation.turn(), follow(socket, "Hello"))
    await conversation.ask("Hello", request_id="one-too-many")
    rejected = (await conversation.until("rejected")).rejected
    assert rejected.request_id == "one-too-many"
    assert rejected.status.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    (retry,) = details(rejected.status, error_details_pb2.RetryInfo)
    assert 0 < retry.retry_delay.ToTimedelta().total_seconds() <= 60
    await socket.send(json.dumps({"content": "Hello"}))
    assert (await receive(socket))["type"] == "error"


async def test_a_refused_message_does_not_end_the_stream(conversation):
    await conversation.ask("")
    rejected = (await conversation.until("rejected")).rejected
    assert rejected.status.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert "content" in details(rejected.status, error_details_pb2.BadRequest)[0].field_violations[0].field
    await conversation.ask("Hello")
    assert (await conversation.turn())[-1].agent.content == SHORT_TEXT


async def test_a_cancelled_stream_does_not_cancel_its_turn(conversation, socket):
    await conversation.ask("answer slowly")
    await conversation.until("accepted")
    conversation.call.cancel()
    assert (await follow(socket, "answer slowly")).final["content"] == SLOW_TEXT


async def test_a_cursor_resumes_and_a_foreign_one_resets(conversation, channel, session):
    await conversation.ask("Hello")
    first = await conversation.turn()
    await conversation.ask("answer with tools")
    second = await conversation.turn()

    last = first[-1]
    resumed = await Conversation(channel).open(session, pb.Cursor(seq=last.seq, fingerprint=last.fingerprint))
    assert await resumed.turn() == second

    foreign = await Conversation(channel).open(session, pb.Cursor(seq=last.seq, fingerprint="another"))
    assert (await foreign.next()).reset.reason
    assert await foreign.turn() == first
    assert await foreign.turn() == second

    beyond = await Conversation(channel).open(session, pb.Cursor(seq=1_000))
    assert (await beyond.next()).reset.reason
    assert await beyond.turn() == first
