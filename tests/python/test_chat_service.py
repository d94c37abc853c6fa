"""The Chat service as Python's grpcio sees it: health, reflection, `Ask`, and what bad input gets."""

import time

import grpc
import pytest
from dragoman.chat.v1 import chat_pb2 as pb
from dragoman.chat.v1 import chat_pb2_grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status
from script import FAILURE, SCRIPT, SHORT_TEXT, SLOW_TEXT, STEADY_TEXT
from server import Server

from chat import FINALS, Conversation, Text, ask_request, details, question

MAX_QUESTION = 16 * 1024


@pytest.fixture
def channel(scripted):
    with grpc.insecure_channel(scripted.grpc) as channel:
        yield channel


@pytest.fixture
def stub(channel):
    return chat_pb2_grpc.ChatStub(channel)


@pytest.fixture
def neighbour_turn(scripted, session):
    """Somebody else's turn goes on while the test runs, and is right at its end."""
    with grpc.insecure_channel(scripted.grpc) as channel:
        call = chat_pb2_grpc.ChatStub(channel).Ask(ask_request(f"{session}-neighbour", "answer steadily"))
        yield
        assert events_of(call)[-1].agent.content == STEADY_TEXT


def events_of(call) -> list[pb.Event]:
    """Reads an `Ask` to its end, and checks the order of what came."""
    responses = list(call)
    kinds = [response.WhichOneof("response") for response in responses]
    assert [kind for kind in kinds if kind in ("accepted", "queued")][-1] == "accepted"
    events, text = [], Text()
    for response in responses:
        if response.HasField("text"):
            assert events, "text before the turn's first event"
            text.take(response.text)
        elif response.HasField("event"):
            events.append(response.event)
    assert kinds[-1] == "event"
    assert [event.seq for event in events] == list(range(events[0].seq, events[0].seq + len(events)))
    assert [event.WhichOneof("body") in FINALS for event in events] == [False] * (len(events) - 1) + [True]
    if events[-1].HasField("agent"):
        assert events[-1].agent.content.startswith(text.value or "")
    return events


def refused(call) -> tuple[grpc.StatusCode, object]:
    """The status that a call ends with, and its details."""
    with pytest.raises(grpc.RpcError) as error:
        list(call)
    return error.value.code(), rpc_status.from_call(error.value)


def test_an_answer_from_the_catalog_says_what_can_be_drawn(guided, session):
    with grpc.insecure_channel(guided.grpc) as channel:
        call = chat_pb2_grpc.ChatStub(channel).Ask(ask_request(session, "Where does fact_bs_purchase_order come from?"))
        answer = events_of(call)[-1].agent
    assert "  src_sap_ekko }o..o{ fact_bs_purchase_order : feeds\n" in answer.diagram.mermaid
    assert answer.canvas_trigger.action == pb.CANVAS_ACTION_SWITCH_VIEW
    assert answer.canvas_trigger.view_type == pb.CANVAS_VIEW_RELATIONSHIP_GRAPH
    assert answer.canvas_trigger.entity_name == "fact_bs_purchase_order"
    assert answer.canvas_trigger.confidence >= 0.6
    assert answer.metrics.total_tables == answer.metrics.facts_count + answer.metrics.dimensions_count > 0
    assert answer.metrics.as_of.ToDatetime().year == 2026


def test_health(channel):
    health = health_pb2_grpc.HealthStub(channel)
    for service in ["", "dragoman.chat.v1.Chat"]:
        answer = health.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, service
    with pytest.raises(grpc.RpcError) as error:
        health.Check(health_pb2.HealthCheckRequest(service="no.such.Service"))
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


METHODS = ["Converse", "Ask", "CancelTurn", "DecideApproval", "ListEvents", "ListSessions", "EraseSession"]


def test_reflection_v1alpha(channel):
    reflected = ProtoReflectionDescriptorDatabase(channel)
    assert "dragoman.chat.v1.Chat" in reflected.get_services()
    service = DescriptorPool(reflected).FindServiceByName("dragoman.chat.v1.Chat")
    assert [method.name for method in service.methods] == METHODS
    assert service.methods_by_name["Ask"].input_type.fields_by_name["question"].number == 2


def test_ask_streams_the_events_of_its_turn(stub, session):
    events = events_of(stub.Ask(ask_request(session, "answer with tools", request_id="one")))
    bodies = [event.WhichOneof("body") for event in events]
    assert bodies[0] == "user"
    assert sorted(bodies[1:-1]) == ["tool_call"] * 2 + ["tool_result"] * 2
    assert events[0].user.content == "answer with tools"
    assert events[0].user.request_id == "one"
    assert events[-1].agent.finish == pb.FINISH_COMPLETED
    assert events[-1].agent.usage.steps == 2
    assert events[-1].agent.usage.tool_calls == 2
    calls = {event.tool_call.call_id for event in events if event.HasField("tool_call")}
    assert calls == {event.tool_result.call_id for event in events if event.HasField("tool_result")}
    assert len(calls) == 2


def test_ask_without_a_session_makes_one(stub):
    first = next(iter(stub.Ask(ask_request("", "Hello")))).accepted
    second = next(iter(stub.Ask(ask_request("", "Hello")))).accepted
    assert len(first.session_id) >= 22
    assert first.session_id != second.session_id


def test_a_failed_turn_is_an_event_not_a_status(stub, session):
    final = events_of(stub.Ask(ask_request(session, "try and fail")))[-1]
    assert final.error.reason == pb.TURN_ERROR_REASON_MODEL
    assert FAILURE in final.error.message
    assert final.error.partial == "I begin, "


def test_an_ask_joins_the_callers_trace(stub, session):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    parent = f"00-{trace}-00f067aa0ba902b7-01"
    in_message = events_of(stub.Ask(ask_request(session, "Hello", traceparent=parent)))
    in_metadata = events_of(stub.Ask(ask_request(session, "Hello"), metadata=[("traceparent", parent)]))
    assert {event.trace_id for event in in_message + in_metadata} == {trace}


def test_the_same_request_id_runs_once(stub, session):
    events = events_of(stub.Ask(ask_request(session, "Hello", request_id="same")))
    call = stub.Ask(ask_request(session, "Hello", request_id="same"))
    assert next(iter(call)).accepted.duplicate
    assert [response.event for response in call if response.HasField("event")] == events
    code, status = refused(stub.Ask(ask_request(session, "Something else", request_id="same")))
    assert code == grpc.StatusCode.ALREADY_EXISTS
    assert details(status, error_details_pb2.ErrorInfo)[0].domain == "dragoman.chat"


async def finished_turn(server, session: str) -> list[pb.Event]:
    """The first turn of a session, read from its log by a cursor at 0."""
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        conversation = await Conversation(channel).open(session, after=pb.Cursor(seq=0))
        return await conversation.turn()


async def test_a_deadline_ends_the_call_and_not_the_turn(scripted, stub, session):
    began = time.monotonic()
    code, _ = refused(stub.Ask(ask_request(session, "answer slowly", request_id="late"), timeout=0.5))
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - began < 1.5
    assert (await finished_turn(scripted, session))[-1].agent.content == SLOW_TEXT
    again = events_of(stub.Ask(ask_request(session, "answer slowly", request_id="late")))
    assert again[-1].agent.content == SLOW_TEXT


async def test_a_cancelled_call_ends_the_call_and_not_the_turn(scripted, stub, session):
    call = stub.Ask(ask_request(session, "answer slowly"))
    assert next(iter(call)).HasField("accepted")
    call.cancel()
    assert (await finished_turn(scripted, session))[-1].agent.content == SLOW_TEXT


@pytest.mark.usefixtures("neighbour_turn")
class TestBadInput:
    @pytest.mark.parametrize("bad", ["a b", "x" * 65, "ä", "../etc", "a\nb"])
    def test_a_session_id_that_is_none(self, stub, bad):
        for call in [
            stub.Ask(ask_request(bad, "Hello")),
            stub.Converse(iter([pb.ConverseRequest(open=pb.Open(session_id=bad))])),
        ]:
            code, status = refused(call)
            assert code == grpc.StatusCode.INVALID_ARGUMENT
            (request,) = details(status, error_details_pb2.BadRequest)
            assert "session_id" in request.field_violations[0].field
            assert "64" in status.message

    @pytest.mark.parametrize(
        ("bad", "field"),
        [
            (question(""), "content"),
            (question("x" * (MAX_QUESTION + 1)), "content"),
            (question("Hello", request_id="x" * 129), "request_id"),
            (question("Hello", request_id="with space"), "request_id"),
            (None, "question"),
        ],
        ids=["no content", "long content", "long request_id", "request_id with a space", "no question"],
    )
    def test_a_question_that_is_none(self, stub, session, bad, field):
        code, status = refused(stub.Ask(pb.AskRequest(session_id=session, question=bad)))
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        (request,) = details(status, error_details_pb2.BadRequest)
        assert field in request.field_violations[0].field
        assert request.field_violations[0].description

    def test_a_message_over_the_limit(self, stub, session):
        code, _ = refused(stub.Ask(ask_request(session, "x" * (1 << 20))))
        assert code in (grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.RESOURCE_EXHAUSTED)
        assert events_of(stub.Ask(ask_request(session, "Hello")))[-1].agent.content == SHORT_TEXT

    def test_ask_before_open(self, stub, session):
        code, status = refused(stub.Converse(iter([pb.ConverseRequest(ask=question("Hello"))])))
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        assert "open" in status.message

    def test_a_second_open(self, stub, session):
        opening = pb.ConverseRequest(open=pb.Open(session_id=session))
        code, status = refused(stub.Converse(iter([opening, opening])))
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        assert "open" in status.message

    def test_an_empty_message(self, stub, session):
        code, _ = refused(stub.Converse(iter([pb.ConverseRequest()])))
        assert code == grpc.StatusCode.INVALID_ARGUMENT

    def test_too_many_questions(self, stub, session):
        for _ in range(20):
            events_of(stub.Ask(ask_request(session, "Hello")))
        code, status = refused(stub.Ask(ask_request(session, "Hello")))
        assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
        (retry,) = details(status, error_details_pb2.RetryInfo)
        assert 0 < retry.retry_delay.ToTimedelta().total_seconds() <= 60
        (quota,) = details(status, error_details_pb2.QuotaFailure)
        assert quota.violations


async def test_a_stopping_server_ends_streams_with_unavailable():
    server = Server(SCRIPT).start()
    try:
        async with grpc.aio.insecure_channel(server.grpc) as channel:
            conversation = await Conversation(channel).open("stopping")
            server.process.terminate()
            warning = await conversation.call.read()
            assert warning.WhichOneof("response") == "go_away"
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await conversation.call.read()
            assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    finally:
        assert server.stop() == 0
