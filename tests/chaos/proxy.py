"""A TCP proxy that does to a connection what networks and machines do: cut, stall, trickle, delay, refuse."""

import asyncio
import contextlib
import socket
import struct
from enum import Enum

from http2 import Tampering

READ_BYTES = 65536
# Chunks that wait in a direction; more, and the sender is not read from.
WAITING_CHUNKS = 64


class Direction(Enum):
    """Which way bytes go."""

    UP = "from the client to the server"
    DOWN = "from the server to the client"


class Flow:
    """How bytes are carried in one direction, by one link or by all of a proxy."""

    def __init__(self):
        self.latency = 0.0
        self.bytes_per_second: float | None = None
        self._open = asyncio.Event()
        self._open.set()

    def freeze(self) -> None:
        """Nothing passes, and nobody is told: what a dead machine or a full buffer looks like."""
        self._open.clear()

    def thaw(self) -> None:
        self._open.set()

    def heal(self) -> None:
        self.latency, self.bytes_per_second = 0.0, None
        self.thaw()

    async def admit(self, arrived: float) -> None:
        """Returns when what arrived then may go on."""
        await self._open.wait()
        remaining = arrived + self.latency - asyncio.get_running_loop().time()
        if remaining > 0:
            await asyncio.sleep(remaining)
            await self._open.wait()


class Trap:
    """Waits for bytes to come by; then what goes in the direction `hold` stays where it is, those bytes included."""

    def __init__(self, direction: Direction, pattern: bytes, hold: Direction | None):
        self.direction, self.pattern, self.hold = direction, pattern, hold
        self.sprung = asyncio.Event()
        self.link: Link | None = None

    def take(self, link: "Link") -> None:
        self.link = link
        if self.hold is not None:
            link.flows[self.hold].freeze()
        self.sprung.set()


class Link:
    """One connection through a proxy."""

    def __init__(self, proxy: "Proxy", client: asyncio.StreamWriter, server: asyncio.StreamWriter):
        self.proxy = proxy
        self.client, self.server = client, server
        self.client_port: int = client.get_extra_info("peername")[1]
        self.flows = {direction: Flow() for direction in Direction}
        # Looks at what the server sends, if the proxy is told to speak HTTP/2.
        self.tampering = Tampering() if proxy.http2 else None

    def cut(self) -> None:
        """Both sides get a reset."""
        for writer in (self.client, self.server):
            reset(writer)


class Proxy:
    """Listens on a port of its own and forwards to `upstream`, which may be switched."""

    def __init__(self, name: str, port: int, upstream: int):
        self.name, self.port, self.upstream = name, port, upstream
        self.http2 = False
        self.flows = {direction: Flow() for direction in Direction}
        self.links: set[Link] = set()
        self.accepted = 0
        self._traps: list[Trap] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task] = set()

    async def listen(self) -> "Proxy":
        """Takes connections (again)."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, backlog=4096)
        return self

    def refuse(self) -> None:
        """New connections are refused; those that are open stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def unplug(self) -> None:
        """Nobody gets through any more, and those who were through are told."""
        self.refuse()
        self.cut()

    def cut(self) -> int:
        """Resets every open connection."""
        links = list(self.links)
        for link in links:
            link.cut()
        return len(links)

    def freeze(self, *directions: Direction) -> None:
        """Half-open: nothing passes, new connections are accepted and get nowhere. Both directions if none is named."""
        for direction in directions or tuple(Direction):
            self.flows[direction].freeze()

    def thaw(self) -> None:
        """What was held by the proxy goes on."""
        for flow in self.flows.values():
            flow.thaw()

    def delay(self, seconds: float) -> None:
        """Each direction takes that long."""
        for flow in self.flows.values():
            flow.latency = seconds

    async def heal(self) -> None:
        """As if nothing had been: connections that were held go on where they were."""
        for flows in [self.flows, *(link.flows for link in self.links)]:
            for flow in flows.values():
                flow.heal()
        self._traps.clear()
        await self.listen()

    def trap(self, direction: Direction, pattern: bytes, hold: Direction | None = None) -> Trap:
        """Waits for `pattern` to come by in `direction`, once."""
        trap = Trap(direction, pattern, hold)
        self._traps.append(trap)
        return trap

    def link_from(self, client_port: int) -> Link | None:
        """The connection that a client made from this port."""
        return next((link for link in self.links if link.client_port == client_port), None)

    async def close(self) -> None:
        self.unplug()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, from_client: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            await self._forward(from_client, client)
        except (OSError, asyncio.CancelledError):
            # Nothing follows that a cancellation would have to stop; before Python 3.12 a server calls it an error.
            reset(client)
        finally:
            self._tasks.discard(task)

    async def _forward(self, from_client: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        from_server, server = await asyncio.open_connection("127.0.0.1", self.upstream)
        link = Link(self, client, server)
        self.links.add(link)
        up, down = asyncio.Queue(WAITING_CHUNKS), asyncio.Queue(WAITING_CHUNKS)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(read_all(from_client, up))
                group.create_task(read_all(from_server, down))
                group.create_task(self._write_all(link, Direction.UP, up, server))
                group.create_task(self._write_all(link, Direction.DOWN, down, client))
        except* OSError:
            # What breaks on one side breaks on the other.
            link.cut()
        finally:
            self.links.discard(link)
            client.close()
            server.close()

    async def _write_all(
        self, link: Link, direction: Direction, waiting: asyncio.Queue, writer: asyncio.StreamWriter
    ) -> None:
        flows = (self.flows[direction], link.flows[direction])
        before = b""
        while True:
            arrived, data = await waiting.get()
            for flow in flows:
                await flow.admit(arrived)
            before = self._spring(link, direction, before + data)
            for flow in flows:
                await flow.admit(arrived)
            if not data:
                with contextlib.suppress(OSError, RuntimeError):
                    writer.write_eof()
                return
            if link.tampering is not None and direction is Direction.DOWN:
                data = link.tampering.take(data)
            await self._write(flows, data, writer)

    def _spring(self, link: Link, direction: Direction, data: bytes) -> bytes:
        """Looks for what traps wait for; returns the end of `data`, where a pattern may have begun."""
        longest = 0
        for trap in [trap for trap in self._traps if trap.direction is direction]:
            longest = max(longest, len(trap.pattern) - 1)
            if trap.pattern in data:
                self._traps.remove(trap)
                trap.take(link)
        return data[len(data) - longest :] if longest else b""

    async def _write(self, flows: tuple[Flow, ...], data: bytes, writer: asyncio.StreamWriter) -> None:
        while data:
            rates = [flow.bytes_per_second for flow in flows if flow.bytes_per_second is not None]
            if not rates:
                writer.write(data)
                return await writer.drain()
            writer.write(data[:1])
            await writer.drain()
            data = data[1:]
            await asyncio.sleep(1 / min(rates))
        return None


async def read_all(reader: asyncio.StreamReader, waiting: asyncio.Queue) -> None:
    """Queues what comes, each with the time it came; empty bytes are the end."""
    data = b" "
    while data:
        data = await reader.read(READ_BYTES)
        await waiting.put((asyncio.get_running_loop().time(), data))


def reset(writer: asyncio.StreamWriter) -> None:
    """Closes with a reset instead of an end of stream."""
    stream = writer.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
