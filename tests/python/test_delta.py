"""The subprotocol `dragoman.v1.delta`, questions that wait, and bad input, with and without it."""

import asyncio
import json

import pytest
import websockets
from frames import Turn, ask, follow, receive, silent
from script import FAILURE, LONG_PIECE, LONG_PIECES, SCRIPT, SHORT_TEXT, SLOW_TEXT
from server import Server

DELTA = "dragoman.v1.delta"
LARGEST = 2**64 - 1

both_modes = pytest.mark.parametrize("offered", [None, [DELTA]], ids=["cumulative", "delta"])


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, None),
        ([DELTA], DELTA),
        (["graphql-ws", DELTA, "x"], DELTA),
        (["graphql-ws"], None),
        (["dragoman.v1.delta2", "dragoman.v1"], None),
        (["DRAGOMAN.V1.DELTA"], None),
    ],
)
async def test_the_subprotocol_is_chosen_by_name_and_nothing_else_is(scripted, session, offered, chosen):
    async with websockets.connect(scripted.ws(session), subprotocols=offered) as socket:
        assert socket.subprotocol == chosen
        frames = await frames_of_turn(socket, "answer slowly")
    partials = [frame for frame in frames if frame["type"] == "agent_partial"]
    assert len(partials) > 3
    if chosen is None:
        assert all("content" in partial and "delta" not in partial for partial in partials)
    else:
        assert ["content" in partial for partial in partials] == [True] + [False] * (len(partials) - 1)
        assert all("delta" in partial for partial in partials[1:])


async def frames_of_turn(socket, question: str) -> list[dict]:
    """Asks, checks the turn, and returns its frames."""
    await socket.send(json.dumps({"content": question}))
    turn, frames = Turn(question), [await receive(socket)]
    while not turn.take(frames[-1]):
        frames.append(await receive(socket))
    return frames


async def states(socket, question: str) -> tuple[list[str], dict]:
    """Every state of the text that a client of this connection shows, and the final frame."""
    turn, shown = Turn(question), []
    while not turn.take(await receive(socket)):
        shown.append(turn.text)
    return shown, turn.final


@pytest.mark.parametrize("question", ["answer slowly", "answer with tools", "try and fail"])
async def test_both_modes_show_the_same(session, question):
    # Which states a client sees depends on how fast it reads; each is a beginning of the same text.
    with Server(SCRIPT, gateway__partial_interval="0s") as server:
        async with (
            websockets.connect(server.ws(session)) as plain,
            websockets.connect(server.ws(session), subprotocols=[DELTA]) as delta,
        ):
            await silent(delta, 0.1)
            await plain.send(json.dumps({"content": question}))
            (cumulative, final), (appended, same) = await asyncio.gather(
                states(plain, question), states(delta, question)
            )
    assert final == same
    assert cumulative[-1] == appended[-1]
    assert len(appended) > 1
    whole = final["content"] if final["type"] == "agent" else appended[-1]
    assert all(whole.startswith(text) for text in cumulative + appended)


async def test_what_was_said_before_an_error_is_known_in_both_modes(scripted, session):
    async with websockets.connect(scripted.ws(session), subprotocols=[DELTA]) as socket:
        turn = await ask(socket, "try and fail", id="message-1")
        assert (turn.text, FAILURE in turn.final["content"]) == ("I begin, ", True)
        again = await ask(socket, "try and fail", id="message-1")
        assert (again.text, again.final["seq"]) == (turn.text, turn.final["seq"])


async def test_a_delta_client_in_the_middle_of_a_turn_begins_with_the_whole_text(scripted, session):
    async with websockets.connect(scripted.ws(session), max_queue=None) as asking:
        await asking.send(json.dumps({"content": "answer slowly"}))
        for _ in range(4):
            before = await receive(asking)
        async with websockets.connect(scripted.ws(session), subprotocols=[DELTA]) as late:
            first = await receive(late)
            assert first["content"].startswith(before["content"])
            text = first["content"]
            while (frame := await receive(late))["type"] == "agent_partial":
                assert "content" not in frame
                text += frame["delta"]
            assert frame["content"] == SLOW_TEXT
            assert SLOW_TEXT.startswith(text)
            assert len(text) > len(first["content"])


async def test_a_long_answer_costs_its_length_not_its_square(session):
    with Server(SCRIPT, gateway__partial_interval="0s") as server:
        sizes = {}
        for name, offered in [("delta", [DELTA]), ("cumulative", None)]:
            async with websockets.connect(
                server.ws(f"{session}-{name}"), subprotocols=offered, max_size=None
            ) as socket:
                frames = await frames_of_turn(socket, "answer at length")
            partials = [frame for frame in frames if frame["type"] == "agent_partial"]
            sizes[name] = sum(len(frame.get("content", "") + frame.get("delta", "")) for frame in partials)
    length = len(LONG_PIECE) * LONG_PIECES
    assert length * 0.9 < sizes["delta"] <= length
    assert sizes["cumulative"] > 5 * length


async def test_a_question_that_waits_is_shown_to_its_asker_if_it_has_an_id(scripted, session):
    async with (
        websockets.connect(scripted.ws(session)) as asking,
        websockets.connect(scripted.ws(session)) as watching,
    ):
        await silent(watching, 0.1)
        await asking.send(json.dumps({"content": "answer slowly"}))
        assert (await receive(asking))["type"] == "user"
        await asking.send(json.dumps({"content": "no id"}))
        await asking.send(json.dumps({"content": "Hello", "id": "waiting"}))
        frames = await until_answered(asking, 3)
        waiting = [frame for frame in frames if frame["type"] == "queued"]
        assert [(frame["id"], frame["ahead"]) for frame in waiting] == [("waiting", 1)]
        assert set(waiting[0]) == {"type", "id", "ahead", "timestamp", "trace_id"}
        echo = next(frame for frame in frames if frame.get("content") == "Hello")
        assert echo["id"] == "waiting"
        assert all(frame["type"] != "queued" for frame in await until_answered(watching, 3))


async def until_answered(socket, turns: int) -> list[dict]:
    frames = []
    while sum(frame["type"] == "agent" for frame in frames) < turns:
        frames.append(await receive(socket))
    return frames


@both_modes
async def test_a_full_queue_refuses_and_says_so(session, offered):
    with Server(SCRIPT, limits__rate_questions="100") as server:
        async with websockets.connect(server.ws(session), subprotocols=offered) as socket:
            await socket.send(json.dumps({"content": "go on for ever"}))
            while (await receive(socket))["type"] != "agent_partial":
                pass
            for number in range(21):
                await socket.send(json.dumps({"content": "Hello", "id": f"q{number}"}))
            frames = [await receive(socket) for _ in range(21)]
            assert [frame["ahead"] for frame in frames[:20]] == list(range(20))
            refused = frames[20]
            assert (refused["type"], refused["id"], "turn_id" in refused) == ("error", "q20", False)
            await socket.send(json.dumps({"type": "cancel"}))
            frames = await until_answered(socket, 21)
            assert frames[0]["finish"] == "cancelled"
            assert [frame["id"] for frame in frames if frame["type"] == "user"] == [f"q{n}" for n in range(20)]


@both_modes
@pytest.mark.parametrize("after", ["", "x", "-1", "1.5", "1e3", "%31", " 1", str(LARGEST + 1), "9" * 400])
async def test_a_position_that_is_none_closes_with_1008(scripted, session, neighbour, offered, after):
    async with neighbour(scripted):
        address = scripted.ws(session, f"?after={after.replace(' ', '%20')}")
        async with websockets.connect(address, subprotocols=offered) as socket:
            await asyncio.wait_for(socket.wait_closed(), 5)
            assert socket.close_code == 1008


@both_modes
@pytest.mark.parametrize("after", [3, 1000, 2**63 - 1, 2**63, LARGEST])
async def test_a_position_beyond_the_end_gets_a_gap_and_the_whole_log(scripted, session, neighbour, offered, after):
    async with neighbour(scripted), websockets.connect(scripted.ws(session)) as socket:
        turn = await ask(socket, "Hello")
        async with websockets.connect(scripted.ws(session, f"?after={after}"), subprotocols=offered) as lost:
            assert (await receive(lost))["type"] == "gap"
            replayed = await follow(lost, "Hello")
            assert (replayed.turn_id, replayed.final) == (turn.turn_id, turn.final)
            # What comes then comes live, once.
            again = await ask(lost, "Hello")
            assert again.first_seq == turn.seq + 1


@both_modes
async def test_a_cancel_of_what_is_not_there_changes_nothing(scripted, session, neighbour, offered):
    async with (
        neighbour(scripted),
        websockets.connect(scripted.ws(session), subprotocols=offered) as socket,
        websockets.connect(scripted.ws(session + "-other")) as other,
    ):
        ended = (await ask(socket, "Hello")).turn_id
        await socket.send(json.dumps({"type": "cancel"}))
        await socket.send(json.dumps({"type": "cancel", "turn_id": ended}))
        await silent(socket)
        await other.send(json.dumps({"content": "answer slowly"}))
        turn = Turn("answer slowly")
        turn.take(await receive(other))
        # Of another session's turn, of one nobody knows, and of none at all.
        for turn_id in [turn.turn_id, "f" * 32]:
            await socket.send(json.dumps({"type": "cancel", "turn_id": turn_id}))
        await socket.send(json.dumps({"type": "cancel"}))
        await silent(socket)
        while not turn.take(await receive(other)):
            pass
        assert turn.final["content"] == SLOW_TEXT


@both_modes
@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({"type": "cancel", "turn_id": "7"}, "32 hexadecimal"),
        ({"type": "cancel", "turn_id": "g" * 32}, "32 hexadecimal"),
        ({"type": "cancel", "turn_id": 7}, "turn_id must be a string"),
        ({"type": "cancel", "turn_id": ["x"]}, "turn_id must be a string"),
        ({"content": "Hello", "id": "x" * 10_240}, "128 printable"),
        ({"content": "Hello", "id": "a b"}, "128 printable"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_malformed_frame_is_an_error_and_no_more(scripted, session, neighbour, offered, message, says):
    async with neighbour(scripted), websockets.connect(scripted.ws(session), subprotocols=offered) as socket:
        await socket.send(json.dumps(message))
        frame = await receive(socket)
        assert frame["type"] == "error"
        assert says in frame["content"]
        assert len(frame["content"]) < 300
        assert (await ask(socket, "Hello")).final["content"] == SHORT_TEXT


async def test_a_turn_is_cancelled_from_another_connection_and_both_see_it(scripted, session):
    async with (
        websockets.connect(scripted.ws(session)) as asking,
        websockets.connect(scripted.ws(session), subprotocols=[DELTA]) as other,
    ):
        await silent(other, 0.1)
        await asking.send(json.dumps({"content": "answer slowly"}))
        turn = Turn("answer slowly")
        while turn.partials < 2:
            turn.take(await receive(other))
        await other.send(json.dumps({"type": "cancel"}))
        while not turn.take(await receive(other)):
            pass
        assert turn.final["finish"] == "cancelled"
        assert (await follow(asking, "answer slowly")).final == turn.final


@both_modes
async def test_a_question_during_a_turn_is_refused_where_that_is_configured(session, offered):
    with Server(SCRIPT, gateway__when_busy="reject") as server:
        async with websockets.connect(server.ws(session), subprotocols=offered) as socket:
            turn = Turn("answer slowly")
            await socket.send(json.dumps({"content": "answer slowly"}))
            turn.take(await receive(socket))
            await socket.send(json.dumps({"content": "Hello", "id": "too-early"}))
            while (frame := await receive(socket))["type"] == "agent_partial":
                turn.take(frame)
            assert (frame["type"], frame["id"], "turn_id" in frame) == ("error", "too-early", False)
            while not turn.take(await receive(socket)):
                pass
            assert turn.final["content"] == SLOW_TEXT
            # What was refused was not kept: its id is as good as new.
            assert (await ask(socket, "Hello", id="too-early")).final["content"] == SHORT_TEXT


@both_modes
async def test_a_question_during_a_turn_takes_its_place_where_that_is_configured(session, offered):
    with Server(SCRIPT, gateway__when_busy="interrupt") as server:
        async with websockets.connect(server.ws(session), subprotocols=offered) as socket:
            turn = Turn("answer slowly")
            await socket.send(json.dumps({"content": "answer slowly"}))
            while turn.partials < 2:
                turn.take(await receive(socket))
            await socket.send(json.dumps({"content": "Hello"}))
            # Nothing is seen of it but the end of the one and the whole of the other.
            while not turn.take(await receive(socket)):
                pass
            assert turn.final["finish"] == "cancelled"
            assert (await follow(socket, "Hello")).final["content"] == SHORT_TEXT
