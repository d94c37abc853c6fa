"""Tools of MCP servers, called by the real dragoman: one written for this, and two that nobody here wrote."""

import json
import os
import re
import sqlite3
import subprocess
import time
import uuid
from pathlib import Path

import pytest
import websockets
from frames import follow, receive
from mcp_support import Fixture, ToldTools, answers, call, children, dragoman, free_port, is_alive, ready, until

CALLS = {
    "echo": ("fixture__echo", {"text": "héllo"}),
    "slow": ("fixture__slow", {"seconds": 60}),
    "huge": ("fixture__huge", {"megabytes": 10}),
    "large": ("fixture__huge", {"megabytes": 0.1}),
    "error": ("fixture__error", {}),
    "structured": ("fixture__structured", {}),
    "crash": ("fixture__crash", {}),
    "grow": ("fixture__grow", {}),
    "extra": ("fixture__extra", {}),
    "environment": ("fixture__environment", {}),
    "forbidden": ("fixture__forbidden", {}),
    "unknown": ("nowhere__echo", {}),
    "bad": ("fixture__echo", {"txet": 1}),
}
TRANSPORTS = ["stdio", "http"]
NODE_MODULES = Path(os.environ.get("MCP_NODE_MODULES", ""))
EVERYTHING = NODE_MODULES / "@modelcontextprotocol/server-everything/dist/index.js"
DBHUB = NODE_MODULES / "@bytebase/dbhub/dist/index.js"


@pytest.fixture(params=TRANSPORTS)
def fixture(request, tmp_path):
    """The fixture server, over each transport in turn."""
    fixture = Fixture(tmp_path)
    fixture.settings = fixture.stdio
    if request.param == "http":
        fixture.start()
        fixture.settings = fixture.http
    yield fixture
    fixture.kill()


async def test_tools_are_called_and_whatever_they_answer_the_turn_goes_on(fixture):
    with dragoman(fixture.settings, CALLS) as server:
        assert "MCP servers: fixture (8 tools)" in server.log.read_text()

        answer, turn = await call(server, "echo")
        assert answer == {"result": "héllo"}
        assert turn.tools[0]["tool_name"] == "fixture__echo"
        # The trace of the turn is that of the call, in `_meta` and, where there are headers, there too.
        [record] = fixture.records("call")
        traceparent = record["meta"]["traceparent"]
        assert traceparent.split("-")[1] == turn.trace_id
        if fixture.process:
            assert record["headers"]["traceparent"] == traceparent

        assert (await call(server, "structured"))[0] == {"answer": 42}
        assert "the moon is in the wrong house" in (await call(server, "error"))[0]["error"]
        assert "text" in (await call(server, "bad"))[0]["error"]

        # Too long to be given to a model, and too long even to be read.
        assert "Ask for less" in (await call(server, "large"))[0]["error"]
        began = time.monotonic()
        memory = server.resident_kib()
        assert "Ask for less" in (await call(server, "huge"))[0]["error"]
        assert time.monotonic() - began < 10, "it was waited for until its time-out"
        assert server.resident_kib() - memory < 8 * 1024, "the result was kept as a whole"
        assert (await call(server, "echo"))[0] == {"result": "héllo"}


async def test_only_what_is_allowed_is_known(fixture):
    with dragoman(fixture.settings, CALLS) as server:
        answer, _ = await call(server, "forbidden")
        assert "there is no tool 'fixture__forbidden'" in answer["error"]
        assert "fixture__echo" in answer["candidates"]
        assert fixture.records("forbidden") == []
        answer, _ = await call(server, "unknown")
        assert "there is no tool 'nowhere__echo'" in answer["error"]


async def test_a_call_that_takes_too_long_is_given_up_and_its_server_told(fixture):
    with dragoman(fixture.settings | {"mcp.fixture.timeout": "1s"}, CALLS) as server:
        answer, _ = await call(server, "slow")
        assert "took longer than 1 s" in answer["error"]
        until(lambda: fixture.records("cancelled"))
        assert fixture.records("finished") == []
        assert (await call(server, "echo"))[0] == {"result": "héllo"}


async def test_a_cancel_reaches_the_server(fixture):
    with dragoman(fixture.settings, CALLS) as server:
        async with websockets.connect(server.ws(f"mcp-{uuid.uuid4().hex}")) as client:
            await client.send(json.dumps({"content": "slow"}))
            assert (await receive(client))["type"] == "user"
            until(lambda: fixture.records("call"))
            await client.send(json.dumps({"type": "cancel"}))
            until(lambda: fixture.records("cancelled"))
        assert (await call(server, "echo"))[0] == {"result": "héllo"}


async def test_a_server_that_dies_in_a_call_costs_that_call_and_comes_back(fixture):
    with dragoman(fixture.settings, CALLS) as server:
        answer, _ = await call(server, "crash")
        assert "the connection to server fixture was lost during the call" in answer["error"]
        if fixture.process:
            until(lambda: "MCP server not reachable" in server.log.read_text())
            answer, _ = await call(server, "echo")
            assert "server fixture is not reachable" in answer["error"]
            fixture.kill()
            fixture.start()
        until(lambda: server.log.read_text().count("MCP server connected") == 2)
        assert (await call(server, "echo"))[0] == {"result": "héllo"}
        assert server.log.read_text().count("MCP server not reachable") == 1
        assert len(children(server.pid)) == (0 if fixture.process else 1)


async def test_tools_that_come_later_are_told_and_called(fixture):
    model = ToldTools()
    with dragoman(fixture.settings, CALLS) as server:
        assert "there is no tool" in (await call(server, "extra"))[0]["error"]
        await call(server, "grow")
        until(lambda: "has other tools now" in server.log.read_text())
        assert (await call(server, "extra"))[0] == {"result": "grown"}
    with dragoman(fixture.settings | model.settings, {}) as server:
        told = await model.told(server)
        assert {"list_tables", "fixture__echo"} <= told.keys()
        assert told["fixture__echo"]["description"] == "Says the text again."
        assert told["fixture__echo"]["parameters"]["properties"]["text"]["type"] == "string"
        assert "fixture__forbidden" not in told


async def test_a_hostile_list_is_bounded(tmp_path):
    model = ToldTools()
    with dragoman(Fixture(tmp_path, "odd").stdio | model.settings, {}) as server:
        told = await model.told(server)
        names = [name for name in told if name.startswith("fixture__")]
        assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in names)
        assert "fixture__sum_all" in names
        assert "fixture__deep" in names
        assert max(len(tool["description"]) for tool in told.values()) <= 1_024
        assert max(len(json.dumps(tool)) for tool in told.values()) <= 20_000
        log = server.log.read_text()
        assert "sum all: models would know it as fixture__sum_all, as they know sum/all" in log
        assert "many: the schema of its arguments has" in log
    optional = {"mcp.fixture.required": "false"}
    with dragoman(Fixture(tmp_path, "huge").stdio | optional | model.settings, {}) as server:
        until(lambda: "MCP server not reachable" in server.log.read_text())
        assert "list_tables" in await model.told(server)
        assert "it does not tell its tools: the answer is larger than" in server.log.read_text()


async def test_a_server_that_is_not_there_is_no_reason_not_to_start(tmp_path):
    fixture = Fixture(tmp_path)
    with dragoman(fixture.http | {"mcp.fixture.required": "false"}, CALLS) as server:
        assert "fixture (not reachable yet)" in server.log.read_text()
        answer, _ = await call(server, "echo")
        assert "server fixture is not reachable" in answer["error"]
        fixture.start()
        until(lambda: "MCP server connected" in server.log.read_text())
        assert (await call(server, "echo"))[0] == {"result": "héllo"}
        assert server.log.read_text().count("MCP server not reachable") == 1
        fixture.kill()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"mcp.fixture.command": "no-such-program"}, "cannot run no-such-program"),
        ({"mcp.fixture.command": "sleep", "mcp.fixture.args": '["60"]'}, "within 0.5 s"),
        ({"mcp.fixture.command": "true"}, "it ended the connection before it said hello"),
        ({"mcp.fixture.url": "http://127.0.0.1:1/mcp"}, "Connection refused"),
    ],
)
def test_a_required_server_that_is_not_there_is_a_failed_start(settings, reason):
    more = {"mcp.fixture.tools": "*", "mcp.fixture.required": "true", "mcp.fixture.connect_timeout": "500ms"}
    server = dragoman(settings | more, {})
    with pytest.raises(RuntimeError, match=r"mcp\.fixture is required, and cannot be used") as failure:
        server.start()
    assert reason in str(failure.value)


def test_a_wrong_configuration_is_told_at_once():
    server = dragoman(
        {
            "mcp.one.command": "a",
            "mcp.two.tools": "*",
            "mcp.three.url": "http://a/",
            "mcp.three.command": "a",
            "mcp.four.timeout": "1",
            "mcp.five.nothing": "1",
        },
        {},
    )
    with pytest.raises(RuntimeError) as failure:
        server.start()
    for problem in [
        "mcp.one: no tool of it may be called: set tools to names or patterns",
        "mcp.two: set its url, or the command that runs it",
        "mcp.three: it has a url and a command: remove one",
        "environment DRAGOMAN_MCP_FOUR_TIMEOUT: mcp.four.timeout",
        "environment DRAGOMAN_MCP_FIVE_NOTHING: unknown variable",
    ]:
        assert problem in str(failure.value)


async def test_a_child_knows_nothing_of_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-others")
    monkeypatch.setenv("SOMETHING_ELSE", "not for others")
    secret = {"mcp.fixture.env": '["API_KEY=for-the-fixture"]', "telemetry.log": "dragoman=trace"}
    with dragoman(Fixture(tmp_path).stdio | secret, CALLS) as server:
        answer, _ = await call(server, "environment")
        # LC_CTYPE is Python's own doing.
        assert answer.keys() - {"LC_CTYPE"} == {"PATH", "HOME", "API_KEY"}
        assert answer["API_KEY"] == "for-the-fixture"
        log = server.log.read_text()
        assert "the fixture writes to its standard error" in log
        assert "for-the-fixture" not in log


async def test_a_token_is_sent_and_never_logged(tmp_path):
    fixture = Fixture(tmp_path).start()
    secrets = {"mcp.fixture.token": "not-to-be-seen-1", "mcp.fixture.headers": "x-key: not-to-be-seen-2"}
    with dragoman(fixture.http | secrets | {"telemetry.log": "trace"}, CALLS) as server:
        await call(server, "echo")
        [record] = fixture.records("call")
        assert record["headers"]["authorization"] == "Bearer not-to-be-seen-1"
        assert record["headers"]["x-key"] == "not-to-be-seen-2"
        assert "not-to-be-seen" not in server.log.read_text()
    fixture.kill()


@pytest.mark.parametrize("end", ["stop", "kill", "stop during a call"])
async def test_no_child_outlives_dragoman(tmp_path, end):
    fixture = Fixture(tmp_path)
    # A shell between dragoman and the server, as npx has one.
    command = fixture.stdio
    program = [command["mcp.fixture.command"], *json.loads(command["mcp.fixture.args"])]
    shell = {"mcp.fixture.command": "sh", "mcp.fixture.args": json.dumps(["-c", '"$@"; exit $?', "sh", *program])}
    server = dragoman(command | shell | {"shutdown.drain_timeout": "0s"}, CALLS).start()
    [child] = children(server.pid)
    grandchild = fixture.pid()
    assert child != grandchild
    if end == "kill":
        server.kill()
    else:
        if end != "stop":
            async with websockets.connect(server.ws("mcp-end")) as client:
                await client.send(json.dumps({"content": "slow"}))
                await receive(client)
                until(lambda: fixture.records("call"))
        assert server.stop() == 0
        assert "were given up" not in server.log.read_text()
    until(lambda: not is_alive(grandchild) and not is_alive(child), 5)


async def test_a_child_that_does_not_want_to_end_is_killed(tmp_path):
    fixture = Fixture(tmp_path)
    stubborn = """if True:
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.call(sys.argv[1:])
        time.sleep(60)
    """
    command = fixture.stdio
    program = [command["mcp.fixture.command"], *json.loads(command["mcp.fixture.args"])]
    settings = command | {"mcp.fixture.args": json.dumps(["-c", stubborn, *program])}
    server = dragoman(settings, CALLS).start()
    [child] = children(server.pid)
    assert server.stop() == 0
    assert "were given up" not in server.log.read_text()
    assert not is_alive(child)


async def test_the_guide_answers_as_before(tmp_path):
    fixture = Fixture(tmp_path)
    with dragoman(fixture.stdio, {}, model="guide") as server:
        async with websockets.connect(server.ws("mcp-guide")) as client:
            await client.send(json.dumps({"content": "List all tables"}))
            turn = await follow(client, "List all tables")
        assert turn.final["type"] == "agent"
        assert [tool["tool_name"] for tool in turn.tools] == ["list_tables"]


EVERYTHING_CALLS = {
    "echo": ("everything__echo", {"message": "from far away"}),
    "sum": ("everything__get-sum", {"a": 2, "b": 40}),
    "image": ("everything__get-tiny-image", {}),
    "weather": ("everything__get-structured-content", {"location": "New York"}),
    "long": ("everything__trigger-long-running-operation", {"duration": 60, "steps": 2}),
}


async def check_everything(settings: dict[str, str]) -> None:
    settings = {"mcp.everything.tools": "*", "mcp.everything.timeout": "3s"} | ready("everything") | settings
    with dragoman(settings, EVERYTHING_CALLS) as server:
        assert (await call(server, "echo"))[0] == {"text": "Echo: from far away"}
        assert "42" in (await call(server, "sum"))[0]["text"]
        answer, _ = await call(server, "image")
        assert answer["left_out"][0].startswith("an image (image/png, about ")
        assert "temperature" in (await call(server, "weather"))[0]
        assert "took longer than 3 s" in (await call(server, "long"))[0]["error"]
        assert (await call(server, "echo"))[0] == {"text": "Echo: from far away"}


async def test_server_everything_over_stdio():
    await check_everything(
        {"mcp.everything.command": "node", "mcp.everything.args": json.dumps([str(EVERYTHING), "stdio"])}
    )


@pytest.fixture
def everything_port():
    """Where `server-everything` serves HTTP."""
    port = free_port()
    process = subprocess.Popen(
        ["node", EVERYTHING, "streamableHttp"],
        env=os.environ | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: answers(port))
    yield port
    process.kill()
    process.wait()


async def test_server_everything_over_streamable_http(everything_port):
    await check_everything({"mcp.everything.url": f"http://localhost:{everything_port}/mcp"})


async def test_dbhub_asks_a_database(tmp_path):
    database = tmp_path / "shop.db"
    with sqlite3.connect(database) as connection:
        connection.execute("create table customer (customer_id integer primary key, name text)")
        connection.executemany("insert into customer (name) values (?)", [("Ada",), ("Grace",)])
    settings = {
        "mcp.db.command": "node",
        "mcp.db.args": json.dumps([str(DBHUB), "--transport", "stdio", "--dsn", f"sqlite://{database}"]),
        "mcp.db.tools": "execute_sql,search_objects",
    } | ready("db")
    calls = {
        "names": ("db__execute_sql", {"sql": "select name from customer order by name"}),
        "nonsense": ("db__execute_sql", {"sql": "selekt"}),
    }
    with dragoman(settings, calls) as server:
        answer, _ = await call(server, "names")
        assert "Ada" in json.dumps(answer) and "Grace" in json.dumps(answer)
        assert "syntax error" in (await call(server, "nonsense"))[0]["error"]
