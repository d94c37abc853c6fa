"""What a shell has: grpcurl, which knows of the service only what reflection tells it."""

import json
import os
import subprocess


def grpcurl(server, *arguments: str, data: dict | None = None) -> str:
    command = [os.environ["GRPCURL"], "-plaintext"]
    if data is not None:
        command += ["-d", json.dumps(data)]
    run = subprocess.run([*command, server.grpc, *arguments], capture_output=True, text=True, timeout=30)
    assert run.returncode == 0, run.stderr
    return run.stdout


def objects(text: str) -> list[dict]:
    """The JSON objects that follow each other in `text`."""
    decoder, found = json.JSONDecoder(), []
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def test_list(guided):
    services = grpcurl(guided, "list").split()
    assert {"dragoman.chat.v1.Chat", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"} <= set(services)


def test_describe(guided):
    assert "rpc Ask" in grpcurl(guided, "describe", "dragoman.chat.v1.Chat")
    assert "string session_id = 1" in grpcurl(guided, "describe", "dragoman.chat.v1.AskRequest")
    # The well-known types and google.rpc.Status can be resolved too.
    assert "google.protobuf.Any details" in grpcurl(guided, "describe", "google.rpc.Status")


def test_ask(guided, session):
    request = {"session_id": session, "question": {"content": "List all tables"}}
    responses = objects(grpcurl(guided, "dragoman.chat.v1.Chat/Ask", data=request))
    assert responses[0]["accepted"]["sessionId"] == session
    events = [response["event"] for response in responses if "event" in response]
    assert events[0]["user"]["content"] == "List all tables"
    assert [event["toolCall"]["name"] for event in events if "toolCall" in event] == ["list_tables"]
    assert events[-1]["agent"]["finish"] == "FINISH_COMPLETED"
    assert events[-1]["agent"]["content"]


def test_health(guided):
    request = {"service": "dragoman.chat.v1.Chat"}
    assert objects(grpcurl(guided, "grpc.health.v1.Health/Check", data=request)) == [{"status": "SERVING"}]
