"""The WebSocket protocol as a foreign client sees it: what is documented, and what dragoman adds to it."""

import asyncio
import json
import urllib.error
import urllib.request
from datetime import datetime

import pytest
import websockets
from frames import Turn, ask, follow, receive, silent
from script import FAILURE, SCRIPT, SHORT_TEXT, SLOW_TEXT
from server import Server


async def test_a_question_about_the_catalog_is_answered_from_a_tool(guided, session):
    async with websockets.connect(guided.ws(session)) as socket:
        turn = await ask(socket, "List all tables")
    assert [tool["tool_name"] for tool in turn.tools] == ["list_tables"]
    assert turn.final["type"] == "agent"
    assert turn.partials > 0
    named = set(names(json.loads(turn.tools[0]["content"])))
    mentioned = [name for name in named if name in turn.final["content"]]
    assert len(mentioned) >= 5, f"of {named}, the answer names {mentioned}"


async def test_an_answer_from_the_catalog_says_what_can_be_drawn(guided, session):
    async with websockets.connect(guided.ws(session)) as socket:
        turn = await ask(socket, "Describe fact_bs_purchase_order_item")
        talk = await ask(socket, "What can you do?")
    diagram, canvas, metrics = (turn.final[key] for key in ("diagram", "canvas_trigger", "metrics"))
    assert diagram.startswith("erDiagram\n")
    assert '  fact_bs_purchase_order_item }o--|| fact_bs_purchase_order : "order_number"\n' in diagram
    assert canvas == {
        "action": "switch_view",
        "view_type": "er_diagram",
        "entity_name": "fact_bs_purchase_order_item",
        "reason": "The answer is about fact_bs_purchase_order_item.",
        "confidence": 0.9,
    }
    assert metrics["schema_name"] == "dm_bs_purchase"
    assert metrics["total_tables"] == metrics["facts_count"] + metrics["dimensions_count"]
    assert 0 < metrics["quality_score"] < 100
    assert datetime.fromisoformat(metrics["as_of"]).tzinfo is not None
    assert metrics["is_stale"] is False
    assert not {"diagram", "canvas_trigger", "metrics"} & talk.final.keys()


def names(value) -> list[str]:
    """Every `name` in a tool's result, wherever it stands."""
    if isinstance(value, list):
        return [name for item in value for name in names(item)]
    if isinstance(value, dict):
        own = [value["name"]] if isinstance(value.get("name"), str) else []
        return own + [name for item in value.values() for name in names(item)]
    return []


async def test_tool_frames_come_between_the_partials_where_they_happened(scripted, session):
    async with websockets.connect(scripted.ws(session)) as socket:
        await socket.send(json.dumps({"content": "answer with tools"}))
        turn, kinds = Turn("answer with tools"), []
        last = False
        while not last:
            frame = await receive(socket)
            kinds.append(frame["type"])
            last = turn.take(frame)
    kinds = [kind for kind, before in zip(kinds, [None, *kinds], strict=False) if kind != before]
    assert kinds == ["user", "agent_partial", "tool", "agent_partial", "agent"]
    assert sorted(tool["tool_name"] for tool in turn.tools) == ["list_tables", "search_columns"]


async def test_a_second_question_waits_for_the_first_answer(scripted, session):
    async with websockets.connect(scripted.ws(session)) as socket:
        await socket.send(json.dumps({"content": "answer slowly"}))
        await socket.send(json.dumps({"content": "Hello"}))
        first = await follow(socket, "answer slowly")
        second = await follow(socket, "Hello")
    assert (first.final["content"], second.final["content"]) == (SLOW_TEXT, SHORT_TEXT)
    assert second.first_seq == first.seq + 1


async def test_every_connection_of_a_session_sees_every_frame(scripted, session):
    async with (
        websockets.connect(scripted.ws(session)) as asking,
        websockets.connect(scripted.ws(session)) as watching,
    ):
        await silent(watching, 0.1)
        asked, watched = await asyncio.gather(ask(asking, "answer slowly"), follow(watching, "answer slowly"))
    assert asked.turn_id == watched.turn_id
    assert asked.final == watched.final


async def test_a_connection_in_the_middle_of_a_turn_is_attached_to_it(scripted, session):
    # The first connection is not read any further: its library must not stop taking frames.
    async with websockets.connect(scripted.ws(session), max_queue=None) as asking:
        await asking.send(json.dumps({"content": "answer slowly"}))
        for _ in range(3):
            await receive(asking)
        async with websockets.connect(scripted.ws(session)) as late:
            texts = []
            while (frame := await receive(late))["type"] == "agent_partial":
                texts.append(frame["content"])
            assert frame["type"] == "agent"
            assert len(texts) > 1
            for shorter, longer in zip(texts, [*texts[1:], frame["content"]], strict=True):
                assert longer.startswith(shorter)


async def test_a_turn_goes_on_without_its_client_and_is_delivered_from_the_log(scripted, session):
    async with websockets.connect(scripted.ws(session)) as socket:
        await socket.send(json.dumps({"content": "answer slowly"}))
        assert (await receive(socket))["type"] == "user"
    async with websockets.connect(scripted.ws(session, "?after=0")) as socket:
        turn = await follow(socket, "answer slowly")
        assert turn.final["content"] == SLOW_TEXT
    async with websockets.connect(scripted.ws(session, f"?after={turn.first_seq}")) as socket:
        frame = await receive(socket)
        assert (frame["type"], frame["seq"]) == ("agent", turn.seq)
        await silent(socket)
    async with websockets.connect(scripted.ws(session, f"?after={turn.seq}")) as socket:
        await silent(socket)


async def test_a_message_sent_twice_runs_once(scripted, session):
    async with websockets.connect(scripted.ws(session)) as socket:
        first = await ask(socket, "Hello", id="message-1")
        # The ping that follows is answered, so that the answer counts as seen.
        await silent(socket)
    async with websockets.connect(scripted.ws(session)) as socket:
        again = await ask(socket, "Hello", id="message-1")
        assert (again.turn_id, again.final["seq"]) == (first.turn_id, first.final["seq"])
        await socket.send(json.dumps({"content": "Something else", "id": "message-1"}))
        frame = await receive(socket)
        assert frame["type"] == "error", frame
        assert (await ask(socket, "Hello", id="message-2")).turn_id != first.turn_id


@pytest.mark.parametrize("naming", [False, True], ids=["the running turn", "by turn_id"])
async def test_a_turn_can_be_cancelled(scripted, session, naming):
    async with websockets.connect(scripted.ws(session)) as socket:
        await socket.send(json.dumps({"content": "answer slowly"}))
        turn = Turn("answer slowly")
        while turn.partials < 2:
            turn.take(await receive(socket))
        await socket.send(json.dumps({"type": "cancel"} | ({"turn_id": turn.turn_id} if naming else {})))
        while not turn.take(await receive(socket)):
            pass
        assert turn.final["type"] == "agent"
        assert turn.final["finish"] == "cancelled"
        assert SLOW_TEXT.startswith(turn.final["content"])
        assert len(turn.final["content"]) < len(SLOW_TEXT)
        assert (await ask(socket, "Hello")).final["content"] == SHORT_TEXT


async def test_a_failed_turn_ends_with_an_error_and_the_next_one_works(scripted, session):
    async with websockets.connect(scripted.ws(session)) as socket:
        turn = await ask(socket, "try and fail")
        assert turn.final["type"] == "error"
        assert turn.final["content"].startswith("Agent error: ")
        assert FAILURE in turn.final["content"]
        assert (await ask(socket, "Hello")).final["content"] == SHORT_TEXT


async def test_a_turn_joins_the_callers_trace(scripted, session):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with websockets.connect(scripted.ws(session)) as socket:
        turn = await ask(socket, "Hello", traceparent=f"00-{trace}-00f067aa0ba902b7-01")
        assert turn.trace_id == trace
        assert (await ask(socket, "Hello", traceparent="nonsense")).trace_id != trace


async def test_a_client_is_pinged_and_may_answer():
    with Server(SCRIPT, gateway__ping_interval="1s") as server:
        async with websockets.connect(server.ws("pinged")) as socket:
            frame = json.loads(await asyncio.wait_for(socket.recv(), 5))
            assert frame == {"type": "ping"}
            await socket.send(json.dumps({"type": "pong"}))
            assert (await ask(socket, "Hello")).final["content"] == SHORT_TEXT


async def test_the_twenty_first_message_of_a_minute_is_refused(scripted, session):
    async with (
        websockets.connect(scripted.ws(session)) as socket,
        websockets.connect(scripted.ws(session + "-other")) as other,
    ):
        for _ in range(20):
            assert (await ask(socket, "Hello")).final["type"] == "agent"
        await socket.send(json.dumps({"content": "Hello"}))
        frame = await receive(socket)
        assert frame["type"] == "error", frame
        assert any(character.isdigit() for character in frame["content"]), "it does not say when to try again"
        await silent(socket)
        assert (await ask(other, "Hello")).final["type"] == "agent"


async def test_a_killed_server_seals_the_interrupted_turn_at_its_next_start(session):
    with Server(SCRIPT) as server:
        async with websockets.connect(server.ws(session)) as socket:
            complete = await ask(socket, "Hello")
            await socket.send(json.dumps({"content": "answer slowly"}))
            while (await receive(socket))["type"] != "agent_partial":
                pass
            server.kill()
        server.start()
        async with websockets.connect(server.ws(session, "?after=0")) as socket:
            replayed = await follow(socket, "Hello")
            assert (replayed.turn_id, replayed.final) == (complete.turn_id, complete.final)
            sealed = await follow(socket, "answer slowly")
            assert sealed.final["type"] == "error"
            assert (await ask(socket, "Hello")).final["content"] == SHORT_TEXT


async def test_a_stopping_server_lets_the_turn_end_and_says_goodbye():
    server = Server(SCRIPT).start()
    async with websockets.connect(server.ws("goodbye")) as socket:
        await socket.send(json.dumps({"content": "answer slowly"}))
        assert (await receive(socket))["type"] == "user"
        server.process.terminate()
        while (frame := await receive(socket))["type"] not in ("agent", "error"):
            pass
        assert frame["type"] == "agent"
        assert frame["content"] == SLOW_TEXT
        await socket.wait_closed()
        assert socket.close_code == 1001
    assert await asyncio.to_thread(server.stop) == 0


async def test_what_people_say_and_whole_session_ids_are_not_logged(scripted, session):
    async with websockets.connect(scripted.ws(session)) as socket:
        await ask(socket, "a secret that nobody should read in a log")
        await ask(socket, "try and fail")
    log = scripted.log.read_text()
    assert "a secret" not in log
    assert SHORT_TEXT not in log
    assert session not in log


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/healthz", 200, ""),
        ("/readyz", 200, ""),
        ("/", 200, "<html"),
        ("/ws/plain", 426, "WebSocket"),
        ("/nothing-here", 404, ""),
        ("/ws/", 426, "WebSocket"),
    ],
)
def test_plain_http(guided, path, status, says):
    try:
        with urllib.request.urlopen(guided.url(path), timeout=5) as answer:
            code, body = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        code, body = error.code, error.read().decode()
    assert code == status
    assert says in body
    assert body, "an empty answer helps nobody"
