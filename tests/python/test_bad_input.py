"""What bad input gets, over WebSocket: a clear answer, and a neighbour who notices nothing."""

import asyncio
import contextlib
import json
import time

import pytest
import websockets
from frames import ask, follow, receive, silent
from raw import CONTINUATION, TEXT, RawClient
from script import LONG_PIECE, LONG_PIECES, SCRIPT, SHORT_TEXT
from server import Server

MAX_FRAME = 64 * 1024
MAX_QUESTION = 16 * 1024


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("not JSON", "Invalid JSON format"),
        ("", "Invalid JSON format"),
        ('{"content": "unfinished', "Invalid JSON format"),
        ('["List all tables"]', "object"),
        ('"List all tables"', "object"),
        ("null", "object"),
        ('{"content": 7}', "content"),
        ('{"content": ["List all tables"]}', "content"),
        ('{"content": {"text": "List all tables"}}', "content"),
        (json.dumps({"content": "x" * (MAX_QUESTION + 1)}), str(MAX_QUESTION)),
        (json.dumps({"content": "Hello", "id": 7}), "id"),
        (json.dumps({"content": "Hello", "id": "x" * 129}), "id"),
    ],
    ids=lambda value: value[:32],
)
async def test_a_frame_that_cannot_be_taken_gets_an_error(scripted, session, neighbour, message, says):
    async with neighbour(scripted), websockets.connect(scripted.ws(session)) as socket:
        await socket.send(message)
        frame = await receive(socket)
        assert frame["type"] == "error", frame
        assert says in frame["content"]
        assert (await ask(socket, "Hello")).final["content"] == SHORT_TEXT


@pytest.mark.parametrize(
    "message", ["{}", '{"content": ""}', '{"content": null}', '{"type": "pong"}', '{"other": "key"}']
)
async def test_a_frame_without_content_is_ignored(scripted, session, neighbour, message):
    async with neighbour(scripted), websockets.connect(scripted.ws(session)) as socket:
        await socket.send(message)
        await silent(socket)
        assert (await ask(socket, "Hello")).final["content"] == SHORT_TEXT


async def test_a_question_as_long_as_allowed_is_taken(scripted, session):
    async with websockets.connect(scripted.ws(session)) as socket:
        assert (await ask(socket, "x" * MAX_QUESTION)).final["content"] == SHORT_TEXT


async def test_fragmented_text_is_text(scripted, session, neighbour):
    async with neighbour(scripted), websockets.connect(scripted.ws(session)) as socket:
        await socket.send(['{"cont', 'ent": "Hel', 'lo"}'])
        assert (await follow(socket, "Hello")).final["content"] == SHORT_TEXT


async def test_a_binary_frame_is_refused(scripted, session, neighbour):
    async with neighbour(scripted), websockets.connect(scripted.ws(session)) as socket:
        await socket.send(b'{"content": "Hello"}')
        frame = await receive(socket)
        assert frame["type"] == "error", frame
        assert "text" in frame["content"]
        assert (await ask(socket, "Hello")).final["content"] == SHORT_TEXT


@pytest.mark.parametrize("fragments", [1, 3])
async def test_a_message_over_the_limit_closes_with_1009(scripted, session, neighbour, fragments):
    async with neighbour(scripted):
        message = json.dumps({"content": "x" * MAX_FRAME})
        async with websockets.connect(scripted.ws(session)) as socket:
            size = len(message) // fragments + 1
            pieces = [message[at : at + size] for at in range(0, len(message), size)]
            # The server may close before it has read everything.
            with contextlib.suppress(websockets.ConnectionClosed):
                await socket.send(message if fragments == 1 else pieces)
            await asyncio.wait_for(socket.wait_closed(), 5)
            assert socket.close_code == 1009


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(TEXT, b'{"content": "\xff\xfe"}', True)], 1007),
        ([(TEXT, b'{"content": "\xc3', False), (CONTINUATION, b'\x28"}', True)], 1007),
        ([(CONTINUATION, b"{}", True)], 1002),
        ([(0x3, b"{}", True)], 1002),
    ],
    ids=["not UTF-8", "not UTF-8 over two fragments", "a continuation of nothing", "an opcode that is none"],
)
async def test_what_is_no_websocket_text_closes_the_connection(scripted, session, neighbour, frames, code):
    def misbehave() -> int | None:
        with RawClient(scripted, session) as client:
            for frame in frames:
                client.send(*frame)
            return client.close_code()

    async with neighbour(scripted):
        assert await asyncio.to_thread(misbehave) == code


@pytest.mark.parametrize("bad", ["x" * 65, "a.b", "a%20b", "%C3%A4", "a:b", "%00", "a%2Fb"])
async def test_a_session_id_that_is_none_closes_with_4001(scripted, neighbour, bad):
    async with neighbour(scripted), websockets.connect(scripted.ws(bad)) as socket:
        await asyncio.wait_for(socket.wait_closed(), 5)
        assert (socket.close_code, socket.close_reason) == (4001, "Invalid session")


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost:3001",
        "http://localhost:3000.evil.example",
        "https://localhost:3000",
        "null",
    ],
)
async def test_a_foreign_origin_closes_with_4003(scripted, session, neighbour, origin):
    async with neighbour(scripted), websockets.connect(scripted.ws(session), origin=origin) as socket:
        await asyncio.wait_for(socket.wait_closed(), 5)
        assert (socket.close_code, socket.close_reason) == (4003, "Origin not allowed")


@pytest.mark.parametrize("origin", [None, "http://localhost:3000", "http://localhost:5173", "same"])
async def test_a_known_origin_is_served(scripted, session, origin):
    origin = f"http://{scripted.http}" if origin == "same" else origin
    async with websockets.connect(scripted.ws(session), origin=origin) as socket:
        assert (await ask(socket, "Hello")).final["content"] == SHORT_TEXT


async def test_origins_by_configuration():
    with Server(SCRIPT, gateway__origins="https://*.example.com", gateway__allow_missing_origin="false") as server:
        async with websockets.connect(server.ws("one"), origin="https://app.example.com") as socket:
            assert (await ask(socket, "Hello")).final["content"] == SHORT_TEXT
        for origin in [
            "http://localhost:3000",
            "https://example.com",
            "https://a.example.com.evil.test",
            None,
        ]:
            async with websockets.connect(server.ws("two"), origin=origin) as socket:
                await asyncio.wait_for(socket.wait_closed(), 5)
                assert socket.close_code == 4003, origin


async def test_a_client_that_vanishes_costs_nobody_anything(scripted, session, neighbour):
    async with neighbour(scripted), websockets.connect(scripted.ws(session)) as watching:
        await silent(watching, 0.1)
        client = RawClient(scripted, session)
        client.send(TEXT, b'{"content": "answer slowly"}')
        assert client.receive()[0] == TEXT
        client.reset()
        assert (await follow(watching, "answer slowly")).final["type"] == "agent"


async def test_a_client_that_stops_reading_is_closed_and_the_turn_goes_on():
    # Every piece is a partial, 7 MB together: more than the kernel's buffers hold.
    with Server(SCRIPT, gateway__write_timeout="1s", gateway__partial_interval="0s") as server:
        async with websockets.connect(server.ws("stalled"), max_size=None) as watching:
            await silent(watching, 0.1)
            with RawClient(server, "stalled", receive_buffer=4096) as stalled:
                stalled.send(TEXT, b'{"content": "answer at length"}')
                # Both at once: the turn comes whole to the one who reads, without waiting for the one who does not.
                turn = await follow(watching, "answer at length")
                assert turn.final["content"] == LONG_PIECE * LONG_PIECES
                await asyncio.sleep(2)
                # What had been buffered can be read, and then the connection is over.
                read = await asyncio.to_thread(frames_until_the_end, stalled)
                assert "agent" not in read
        async with websockets.connect(server.ws("stalled", "?after=0"), max_size=None) as back:
            assert (await follow(back, "answer at length", replayed=True)).final == turn.final


def frames_until_the_end(client: RawClient) -> list[str]:
    kinds = []
    try:
        while True:
            opcode, payload = client.receive()
            if opcode == TEXT:
                kinds.append(json.loads(payload)["type"])
    except ConnectionError:
        return kinds


async def test_a_silent_client_counts_as_gone():
    with Server(SCRIPT, gateway__ping_interval="1s", gateway__silence_timeout="2s") as server:

        def wait_for_the_end() -> float:
            began = time.monotonic()
            with RawClient(server, "silent") as client:
                client.close_code()
            return time.monotonic() - began

        async with websockets.connect(server.ws("talking")) as socket:
            assert 1.5 < await asyncio.to_thread(wait_for_the_end) < 8
            # This one sends nothing either, but its library answers the pings.
            assert (await ask(socket, "Hello")).final["content"] == SHORT_TEXT


async def test_too_many_connections_are_told_to_come_back():
    with Server(SCRIPT, gateway__connections="2") as server:
        async with websockets.connect(server.ws("one")) as one, websockets.connect(server.ws("two")):
            async with websockets.connect(server.ws("three")) as three:
                await asyncio.wait_for(three.wait_closed(), 5)
                assert three.close_code == 1013
            assert (await ask(one, "Hello")).final["content"] == SHORT_TEXT
