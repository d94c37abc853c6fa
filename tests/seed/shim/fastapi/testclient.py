"""`fastapi.testclient` as far as the seed document's test uses it, over a real connection instead of in process."""

import contextlib
import json
from collections.abc import Iterator

from websockets.sync.client import ClientConnection, connect


class Session:
    def __init__(self, connection: ClientConnection):
        self._connection = connection

    def send_json(self, value: object) -> None:
        self._connection.send(json.dumps(value))

    def receive_json(self) -> object:
        return json.loads(self._connection.recv(timeout=10))


class TestClient:
    __test__ = False

    def __init__(self, app: str):
        self._address = app

    @contextlib.contextmanager
    def websocket_connect(self, path: str) -> Iterator[Session]:
        with connect(f"ws://{self._address}{path}") as connection:
            yield Session(connection)
