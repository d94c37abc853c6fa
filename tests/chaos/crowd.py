"""Very many tabs at once, each as small as it can be: a handshake, then frames, no more (RFC 6455)."""

import asyncio
import base64
import contextlib
import json
import os
import struct

from proxy import reset


class SmallTab:
    """Reads a session's frames from its log's start until the answer has come."""

    def __init__(self, port: int, session: str):
        self.port, self.session = port, session
        self.finals = 0
        self.refused = ""
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        """Connects, and returns when the session's answer was sent."""
        self.finals = 0
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        key = base64.b64encode(os.urandom(16)).decode()
        self._writer.write(
            f"GET /ws/{self.session}?after=0 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            self.refused = head.split(b"\r\n", 1)[0].decode()
            return
        while not self.finals:
            opcode, payload = await self._frame(reader)
            if opcode == 0x1 and json.loads(payload)["type"] in ("agent", "error"):
                self.finals += 1
            elif opcode == 0x8:
                self.refused = f"closed with {struct.unpack('>H', payload[:2])[0]}"
                return

    async def try_to_connect(self, seconds: float) -> None:
        """Comes back until it has been sent its answer, as a page does."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.finals:
                    try:
                        await self.connect()
                    except (OSError, EOFError) as error:
                        self.refused = str(error)
                    if not self.finals:
                        self.cut()
                        await asyncio.sleep(0.5)

    def cut(self) -> None:
        if self._writer is not None:
            reset(self._writer)

    async def _frame(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = await reader.readexactly(2)
        size = head[1] & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", await reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", await reader.readexactly(8))
        return head[0] & 0x0F, await reader.readexactly(size)
