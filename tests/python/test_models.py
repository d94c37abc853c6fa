"""Turns with a model behind a server that nobody here wrote: llama.cpp's, with random weights.

What such a model says is noise, unless a grammar leaves it no choice: what is tested is the wire.
"""

import asyncio
import json

import grpc
import pytest
import websockets
from collector import Collector, attributes
from dragoman.chat.v1 import chat_pb2 as pb
from dragoman.chat.v1 import chat_pb2_grpc
from frames import ask, receive
from llama import END, STOP, TOOL_CALL, Llama, letter
from server import Server

# Longest wait for a turn: such a model is quick, but not on a machine that has much else to do.
PATIENCE = 150
KEY = "sk-not-to-be-seen"
TOOLS = {"list_tables", "get_table_details", "search_columns", "get_lineage", "find_relationships"}
# The only sentence that a model without knowledge says on purpose.
SENTENCE = "There are as many tables as you see."
SPEAKS = {"tool_choice": "none", "grammar": f'root ::= "{SENTENCE}"'}
# One call with what its tool wants, every text empty: what comes first here is taken wherever the grammar of the tools
# leaves a choice.
CALLS = {
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "logit_bias": {END: 200, TOOL_CALL: 160, letter('"'): 120, letter("}"): 80},
}
# Noise without end.
RAMBLES = {"tool_choice": "none", "logit_bias": {END: -200, STOP: -200, TOOL_CALL: -200}}


@pytest.fixture(scope="module")
def llama():
    with Llama() as llama:
        yield llama


def dragoman(llama: Llama, body: dict, **settings: str) -> Server:
    """A dragoman that asks this server, with `body` in every request."""
    openai = {
        "model": "openai:noise",
        "openai__base_url": f"{llama.url}/v1",
        "openai__body": json.dumps(body),
        "openai__max_output_tokens": "400",
        "openai__retries": "0",
    }
    return Server(**openai | settings)


def dragoman_by_messages(llama: Llama, **settings: str) -> Server:
    """One that asks it by Anthropic's API, which it speaks as well, but takes no biases and grammars by."""
    anthropic = {
        "model": "anthropic:noise",
        "anthropic__base_url": llama.url,
        "anthropic__max_output_tokens": "400",
        "anthropic__retries": "0",
    }
    return Server(**anthropic | settings)


async def answer(server: Server, session: str) -> pb.Event:
    """The final event of the session's last turn, as the log has it."""
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        request = pb.ListEventsRequest(session_id=session)
        return (await chat_pb2_grpc.ChatStub(channel).ListEvents(request)).events[-1]


async def test_an_answer_and_its_tokens(llama, session):
    with dragoman(llama, SPEAKS) as server:
        async with websockets.connect(server.ws(session)) as socket:
            turn = await ask(socket, "How many tables are there?", seconds=PATIENCE)
        assert turn.final["content"] == SENTENCE
        assert turn.partials > 0
        usage = (await answer(server, session)).agent.usage
        # A token is a byte here, and the end is one more; the prompt is longer than any question.
        assert len(SENTENCE) <= usage.output_tokens <= len(SENTENCE) + 1
        assert usage.input_tokens > 1000
        assert usage.steps == 1


async def test_an_answer_that_is_too_long_is_cut(llama, session):
    with dragoman(llama, RAMBLES, openai__max_output_tokens="30") as server:
        async with websockets.connect(server.ws(session)) as socket:
            turn = await ask(socket, "How many tables are there?", seconds=PATIENCE)
        assert turn.final.get("finish") == "truncated", turn.final
        assert (await answer(server, session)).agent.usage.output_tokens == 30


async def test_a_tool_call_is_streamed_run_and_traced(llama, session):
    with Collector() as collector:
        traced = {"telemetry__otlp_endpoint": collector.url}
        with dragoman(llama, CALLS, agent__max_steps="2", **traced) as server:
            async with websockets.connect(server.ws(session)) as socket:
                turn = await ask(socket, "Which tables are there?", seconds=PATIENCE)
        assert len(turn.tools) == 2, turn.final
        assert {tool["tool_name"] for tool in turn.tools} <= TOOLS
        # The model has to call a tool each time, so that the turn ends at its limit.
        assert turn.final["content"] == "Agent error: no answer after 2 steps. Ask a narrower question."

        tree = collector.tree(turn.trace_id)
        paths = "\n".join(sorted(tree))
        [agent] = [path for path in tree if path.endswith("> invoke_agent explorer")]
        assert agent.startswith("websocket turn > "), paths
        requests = tree[f"{agent} > chat noise"]
        assert len(requests) == 2, paths
        for request in requests:
            said = attributes(request)
            assert said["gen_ai.provider.name"] == "openai"
            assert said["gen_ai.usage.input_tokens"] > 1000
            assert 0 < said["gen_ai.usage.output_tokens"] <= 400
            assert said["gen_ai.response.finish_reasons"] == ["tool_calls"]
        ran = [path.removeprefix(f"{agent} > execute_tool ") for path in tree if "execute_tool" in path]
        assert ran, paths
        assert set(ran) <= TOOLS, paths
        assert {tool["tool_name"] for tool in turn.tools} == set(ran)


async def test_a_conversation_that_is_too_long_is_told_so(session):
    with Llama(context=512) as small, dragoman(small, SPEAKS) as server:
        await told_too_long(small, server, session)


async def test_messages_are_answered_and_counted(session):
    with Llama("plain") as plain, dragoman_by_messages(plain, anthropic__max_output_tokens="30") as server:
        async with websockets.connect(server.ws(session)) as socket:
            # This server leaves the begin of a message out, and with it the tokens it has read, whenever the first
            # token is no whole character, which is one time in three.
            for _ in range(10):
                turn = await ask(socket, "How many tables are there?", seconds=PATIENCE)
                assert turn.final["type"] == "agent", turn.final
                assert turn.final["content"]
                usage = (await answer(server, session)).agent.usage
                assert 0 < usage.output_tokens <= 30
                if usage.input_tokens:
                    break
        assert usage.input_tokens > 1000


async def test_messages_that_are_too_long_are_told_so(session):
    with Llama("plain", context=512) as small, dragoman_by_messages(small) as server:
        await told_too_long(small, server, session)


async def told_too_long(llama: Llama, server: Server, session: str) -> None:
    async with websockets.connect(server.ws(session)) as socket:
        turn = await ask(socket, "How many tables are there?", seconds=PATIENCE)
    assert turn.final["type"] == "error"
    expected = "the conversation is too long for the model. Start a new one, or ask for less at a time."
    assert turn.final["content"] == f"Agent error: {expected}"
    assert "exceeds the available context size" in llama.printed()


async def test_a_cancel_reaches_the_model(llama, session):
    with dragoman(llama, RAMBLES, openai__max_output_tokens="0") as server:
        async with websockets.connect(server.ws(session)) as socket:
            await socket.send(json.dumps({"content": "How many tables are there?"}))
            while (await receive(socket, PATIENCE))["type"] != "agent_partial":
                pass
            cancelled = llama.printed().count("cancel task")
            await socket.send(json.dumps({"type": "cancel"}))
            frame = await receive(socket, PATIENCE)
            while frame["type"] == "agent_partial":
                frame = await receive(socket, PATIENCE)
            assert frame["finish"] == "cancelled"
        await told(llama, cancelled)


async def test_a_process_that_dies_lets_go_of_the_model(llama, session):
    server = dragoman(llama, RAMBLES, openai__max_output_tokens="0").start()
    async with websockets.connect(server.ws(session)) as socket:
        await socket.send(json.dumps({"content": "How many tables are there?"}))
        while (await receive(socket, PATIENCE))["type"] != "agent_partial":
            pass
        cancelled = llama.printed().count("cancel task")
        server.kill()
    await told(llama, cancelled)


async def told(llama: Llama, cancelled: int) -> None:
    """The server says that it cancelled one more task, soon."""
    await asyncio.to_thread(llama.wait_for, rf"(?s)(cancel task.*){{{cancelled + 1}}}", 5)


async def test_a_wrong_key_is_told_and_not_shown(session):
    with Collector() as collector, Llama(key="sk-the-right-one") as locked:
        settings = {"openai__api_key": KEY, "telemetry__otlp_endpoint": collector.url, "telemetry__log": "trace"}
        with dragoman(locked, SPEAKS, **settings) as server:
            async with websockets.connect(server.ws(session)) as socket:
                turn = await ask(socket, "How many tables are there?", seconds=PATIENCE)
            log = server.log
        said = "127.0.0.1 does not accept the key. Whoever runs dragoman has to check openai.api_key"
        assert said in turn.final["content"]
        collector.tree(turn.trace_id)
        shown = log.read_text() + str(collector.spans) + json.dumps(turn.final)
        assert "not-to-be-seen" not in shown
        right = {"openai__api_key": "sk-the-right-one"}
        with dragoman(locked, SPEAKS, **right) as server:
            async with websockets.connect(server.ws(session)) as socket:
                turn = await ask(socket, "How many tables are there?", seconds=PATIENCE)
        assert turn.final["content"] == SENTENCE
