"""What the tests in Python share: servers under test and a neighbour that must notice nothing."""

import contextlib
import json
import uuid

import pytest
import websockets
from frames import ask, follow, silent
from script import SCRIPT, SHORT_TEXT, STEADY_TEXT
from server import Server


@pytest.fixture(scope="session")
def guided():
    """A server whose guide answers from the demo catalog."""
    with Server() as server:
        yield server


@pytest.fixture(scope="session")
def scripted():
    """A server that answers by the script."""
    with Server(SCRIPT) as server:
        yield server


@pytest.fixture
def session() -> str:
    """A session nobody has used."""
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def neighbour():
    """Wraps what may hurt: somebody else's turn goes on meanwhile, and the connection works afterwards."""

    @contextlib.asynccontextmanager
    async def wrap(server: Server):
        question = "answer steadily"
        async with websockets.connect(server.ws(f"neighbour-{uuid.uuid4().hex}")) as socket:
            await socket.send(json.dumps({"content": question}))
            yield
            turn = await follow(socket, question)
            assert turn.final["content"] == STEADY_TEXT
            turn = await ask(socket, "Hello")
            assert turn.final["content"] == SHORT_TEXT
            await silent(socket, 0.1)

    return wrap


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A failed test shows what its servers said."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Server):
                report.sections.append((f"log of the server `{name}`", value.log_tail()))
    return report
