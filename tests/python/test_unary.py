"""The calls with one answer, through grpcio: the transcript, the list of sessions, cancel and erase."""

import uuid

import grpc
import pytest
from dragoman.chat.v1 import chat_pb2 as pb
from dragoman.chat.v1 import chat_pb2_grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from script import SCRIPT
from server import Server

from chat import ask_request, details


@pytest.fixture(scope="module")
def listing():
    """A server that lists the sessions of callers who have not signed in."""
    with Server(SCRIPT, grpc_server__list_anonymous="true") as server:
        yield server


@pytest.fixture
def stub(listing):
    with grpc.insecure_channel(listing.grpc) as channel:
        yield chat_pb2_grpc.ChatStub(channel)


def ask(stub, session: str, content: str) -> list[pb.Event]:
    responses = stub.Ask(ask_request(session, content), timeout=20)
    return [response.event for response in responses if response.HasField("event")]


def all_events(stub, session: str, size: int) -> list[pb.Event]:
    events, token = [], ""
    while True:
        request = pb.ListEventsRequest(session_id=session, page_size=size, page_token=token)
        page = stub.ListEvents(request, timeout=20)
        assert len(page.events) <= size
        events += page.events
        token = page.next_page_token
        if not token:
            return events


def all_sessions(stub, size: int) -> list[pb.Session]:
    sessions, token = [], ""
    while True:
        page = stub.ListSessions(pb.ListSessionsRequest(page_size=size, page_token=token), timeout=20)
        assert len(page.sessions) <= size
        sessions += page.sessions
        token = page.next_page_token
        if not token:
            return sessions


def test_a_transcript_is_paged_to_its_end(stub, session):
    asked = ask(stub, session, "answer with tools") + ask(stub, session, "Hello")
    for size in (1, 3, 1000):
        assert all_events(stub, session, size) == asked


def test_sessions_are_paged_to_the_end(stub):
    used = [f"listed-{uuid.uuid4().hex}" for _ in range(5)]
    for session in used:
        ask(stub, session, "Hello")
    ask(stub, used[0], "Hello")
    expected = [used[0], *reversed(used[1:])]
    for size in (1, 2, 1000):
        listed = [listed.session_id for listed in all_sessions(stub, size)]
        assert listed[:5] == expected
        assert len(listed) == len(set(listed))


def test_the_operator_has_to_allow_the_list(scripted):
    with grpc.insecure_channel(scripted.grpc) as channel, pytest.raises(grpc.RpcError) as refused:
        chat_pb2_grpc.ChatStub(channel).ListSessions(pb.ListSessionsRequest(), timeout=20)
    assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
    assert "grpc_server.list_anonymous" in refused.value.details()


def test_a_malformed_token_names_its_field(stub, session):
    with pytest.raises(grpc.RpcError) as refused:
        stub.ListEvents(pb.ListEventsRequest(session_id=session, page_token="made up"), timeout=20)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    [bad] = details(rpc_status.from_call(refused.value), error_details_pb2.BadRequest)
    assert [violation.field for violation in bad.field_violations] == ["page_token"]


def test_an_erased_session_is_gone_and_its_token_is_stale(stub, session):
    ask(stub, session, "Hello")
    token = stub.ListEvents(pb.ListEventsRequest(session_id=session, page_size=1), timeout=20).next_page_token
    assert stub.EraseSession(pb.EraseSessionRequest(session_id=session), timeout=20).erased
    assert not stub.EraseSession(pb.EraseSessionRequest(session_id=session), timeout=20).erased
    assert all_events(stub, session, 10) == []
    with pytest.raises(grpc.RpcError) as refused:
        stub.ListEvents(pb.ListEventsRequest(session_id=session, page_token=token), timeout=20)
    assert refused.value.code() == grpc.StatusCode.ABORTED


def test_a_turn_is_cancelled(stub, session):
    responses = stub.Ask(ask_request(session, "answer for ever"), timeout=20)
    for response in responses:
        if response.HasField("text"):
            assert stub.CancelTurn(pb.CancelTurnRequest(session_id=session), timeout=20).cancelled
            break
    last = [response.event for response in responses if response.HasField("event")][-1]
    assert last.agent.finish == pb.FINISH_CANCELLED
    assert not stub.CancelTurn(pb.CancelTurnRequest(session_id=session), timeout=20).cancelled
