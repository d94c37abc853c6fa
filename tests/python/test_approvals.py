"""A tool that has to be allowed, as a service in Python sees it: asked for on a stream, decided by a call."""

import grpc
import pytest
import websockets
from dragoman.chat.v1 import chat_pb2 as pb
from dragoman.chat.v1 import chat_pb2_grpc
from frames import receive
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from script import SCRIPT
from server import Server

from chat import Conversation, details

QUESTION = "answer with tools"
TOOL = "search_columns"


@pytest.fixture(scope="module")
def asking():
    """A server that lets one of the script's two tools run only if somebody allows it."""
    with Server(SCRIPT, tools__ask="search_*") as server:
        yield server


@pytest.fixture
async def channel(asking):
    async with grpc.aio.insecure_channel(asking.grpc) as channel:
        yield channel


@pytest.fixture
async def conversation(channel, session):
    conversation = await Conversation(channel).open(session)
    await conversation.ask(QUESTION)
    return conversation


async def asked(conversation: Conversation) -> pb.Event:
    """The event with which the tool asks."""
    while True:
        event = (await conversation.until("event")).event
        if event.HasField("approval_request"):
            return event


async def rest(conversation: Conversation) -> dict[str, pb.Event]:
    """What comes up to the end of the turn, by kind; of a kind the last."""
    events = {}
    while "agent" not in events:
        event = (await conversation.until("event")).event
        events[event.WhichOneof("body")] = event
    return events


async def test_a_tool_that_is_allowed_runs(channel, conversation, session):
    event = await asked(conversation)
    request = event.approval_request
    assert request.name == TOOL
    assert 0 < (request.expire_time.ToMilliseconds() - event.create_time.ToMilliseconds()) <= 5 * 60 * 1000
    decide = pb.DecideApprovalRequest(session_id=session, call_id=request.call_id, approved=True)
    answer = await chat_pb2_grpc.ChatStub(channel).DecideApproval(decide, timeout=20)
    assert answer.turn_id == event.turn_id
    assert answer.decision == pb.DECISION_APPROVED
    events = await rest(conversation)
    assert events["approval_decision"].approval_decision.decision == pb.DECISION_APPROVED
    assert events["tool_result"].tool_result.name == TOOL
    assert "did not allow" not in events["tool_result"].tool_result.content


async def test_a_tool_that_is_denied_on_the_stream_does_not_run(conversation):
    request = (await asked(conversation)).approval_request
    await conversation.write(decide=pb.Decide(call_id=request.call_id, approved=False))
    decided = (await conversation.until("decided")).decided
    assert decided.decision == pb.DECISION_DENIED
    result = (await rest(conversation))["tool_result"].tool_result
    assert result.failed
    assert "did not allow" in result.content


async def test_who_is_late_is_told_so(channel, conversation, session):
    call_id = (await asked(conversation)).approval_request.call_id
    stub = chat_pb2_grpc.ChatStub(channel)

    async def decide(call_id: str, approved: bool) -> pb.DecideApprovalResponse:
        request = pb.DecideApprovalRequest(session_id=session, call_id=call_id, approved=approved)
        return await stub.DecideApproval(request, timeout=20)

    assert (await decide(call_id, True)).decision == pb.DECISION_APPROVED
    assert (await decide(call_id, True)).decision == pb.DECISION_APPROVED
    await rest(conversation)
    for wrong, code, reason in (
        ((call_id, False), grpc.StatusCode.FAILED_PRECONDITION, "ALREADY_DECIDED"),
        (("another", True), grpc.StatusCode.NOT_FOUND, "NOT_WAITING"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await decide(*wrong)
        assert refused.value.code() == code
        [info] = details(rpc_status.from_call(refused.value), error_details_pb2.ErrorInfo)
        assert info.reason == reason


async def test_a_browser_that_comes_meanwhile_sees_the_question_and_the_decision(asking, conversation, session):
    request = (await asked(conversation)).approval_request
    async with websockets.connect(asking.ws(session)) as socket:
        frame = await receive(socket)
        assert (frame["type"], frame["call_id"]) == ("approval", request.call_id)
        await conversation.write(decide=pb.Decide(call_id=request.call_id, approved=True))
        while frame["type"] != "approval_decision":
            frame = await receive(socket)
        assert (frame["decision"], frame["call_id"]) == ("approved", request.call_id)
