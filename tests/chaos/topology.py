"""What runs in a scenario: one process with SQLite, or gateways, agents and Redis, each behind a proxy."""

import asyncio
import contextlib
import json
import time
from pathlib import Path

from answers import ASKS, script
from invariants import PANICS, Leftovers
from processes import Dragoman, Process, Redis, free_port
from proxy import Proxy

DRAIN_SECONDS = 3
# Draining, clients sent away one after another, tasks that are waited for, and a machine that is busy.
STOP_SECONDS = DRAIN_SECONDS + 12
# Within this time nobody who left is still there.
TIDY_SECONDS = 8
LEASE_SECONDS = 3
# Keys without a time to live, found by Redis itself: a crowd has thousands of keys.
ETERNAL_KEYS = """
local eternal = {}
for _, key in ipairs(redis.call("KEYS", "*")) do
  if redis.call("TTL", key) == -1 then
    table.insert(eternal, key)
  end
end
return eternal
"""

COMMON = {
    "shutdown.drain_timeout": f"{DRAIN_SECONDS}s",
    "tools.ask": ASKS,
}
BROWSERS = {
    "gateway.ping_interval": "1s",
    "gateway.silence_timeout": "3s",
    "gateway.write_timeout": "2s",
}


class Topology:
    """Processes and proxies of one scenario, in a folder of their own."""

    def __init__(self, folder: Path, mutant: str | None = None):
        self.folder = folder
        self.environment = {"DRAGOMAN_MUTANT": mutant} if mutant else {}
        self.model = folder / "script.json"
        self.model.write_text(json.dumps(script()))
        self.processes: list[Process] = []
        self.proxies: list[Proxy] = []
        self.baseline: dict[str, tuple[int, int]] = {}

    async def start(self) -> None:
        raise NotImplementedError

    def browser_doors(self) -> list[int]:
        """Ports a tab may connect to."""
        raise NotImplementedError

    def grpc_doors(self) -> list[int]:
        """Ports a gRPC client may connect to."""
        raise NotImplementedError

    def log_ports(self) -> list[int]:
        """Ports to read the log from, past every proxy."""
        raise NotImplementedError

    @property
    def dragomans(self) -> list[Dragoman]:
        return [process for process in self.processes if isinstance(process, Dragoman)]

    async def put_proxy(self, name: str, upstream: int) -> Proxy:
        proxy = await Proxy(name, free_port(), upstream).listen()
        self.proxies.append(proxy)
        return proxy

    async def heal(self) -> None:
        """Everything runs, and every connection carries."""
        for proxy in self.proxies:
            await proxy.heal()
        for process in self.processes:
            if process.running:
                process.signal_continue()
            else:
                await process.start()

    def remember(self) -> None:
        """Notes how many descriptors each process has while nobody is there."""
        for process in self.dragomans:
            self.baseline[process.name] = (process.pid, sockets(process.pid))

    async def tidy(self) -> Leftovers:
        """Waits, within a bound, until what was used has been given back; then stops everything."""
        left = Leftovers()
        deadline = time.monotonic() + TIDY_SECONDS
        while True:
            await self.observe(left)
            if not (any(left.browsers.values()) or any(left.descriptors.values()) or left.channels):
                break
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.1)
        for group in self.stop_order():
            codes = await asyncio.gather(*(process.stop(STOP_SECONDS) for process in group))
            for process, code in zip(group, codes, strict=True):
                left.exits[process.name] = code
        for process in self.dragomans:
            for line in process.log_text().splitlines():
                if any(panic in line for panic in PANICS):
                    left.complaints.append(f"{process.name}: {line[:300]}")
        return left

    async def observe(self, left: Leftovers) -> None:
        for process in self.dragomans:
            left.browsers[process.name] = process.browsers()
            pid, before = self.baseline.get(process.name, (0, 0))
            change = sockets(process.pid) - before if pid == process.pid else 0
            # Connections between the processes come and go with the load; streams on them do not show here.
            left.descriptors[process.name] = f"{before} + {change}" if change > self.slack() else ""

    def slack(self) -> int:
        """Connections a process may hold more than when nobody had been there yet."""
        return 0

    def stop_order(self) -> list[list[Process]]:
        return [list(self.processes)]

    async def end(self) -> None:
        """Whatever happened: nothing of this scenario runs on."""
        await asyncio.gather(*(process.kill() for process in self.processes), return_exceptions=True)
        await asyncio.gather(*(proxy.close() for proxy in self.proxies), return_exceptions=True)


class Single(Topology):
    """Everything in one process, on SQLite."""

    def __init__(self, folder: Path, mutant: str | None = None, environment: dict[str, str] | None = None):
        super().__init__(folder, mutant)
        self.environment |= environment or {}
        self.database = folder / "data" / "sessions.db"
        self.database.parent.mkdir()

    async def start(self) -> None:
        settings = COMMON | BROWSERS | {"store": f"sqlite:{self.database}", "model": f"scripted:{self.model}"}
        self.all = Dragoman("dragoman", self.folder, settings, self.environment)
        self.processes.append(self.all)
        await self.all.start()
        self.web = await self.put_proxy("web", self.all.http)
        self.rpc = await self.put_proxy("rpc", self.all.grpc)
        self.remember()

    def browser_doors(self) -> list[int]:
        return [self.web.port]

    def grpc_doors(self) -> list[int]:
        return [self.rpc.port]

    def log_ports(self) -> list[int]:
        return [self.all.grpc]

    def slack(self) -> int:
        # A connection that a gRPC client has just closed.
        return 1


class Cluster(Topology):
    """Two gateways, two agents and Redis. Each agent and each gateway has its proxy, and each agent one to Redis."""

    def __init__(self, folder: Path, mutant: str | None = None, environment: dict[str, dict[str, str]] | None = None):
        """`environment` is given by the name of the process."""
        super().__init__(folder, mutant)
        self.extra = environment or {}

    async def start(self) -> None:
        self.redis = Redis("redis", self.folder, environment=self.extra.get("redis"))
        self.processes.append(self.redis)
        await self.redis.start()
        self.redis_links: list[Proxy] = []
        self.agents: list[Dragoman] = []
        self.agent_links: list[Proxy] = []
        self.gateways: list[Dragoman] = []
        self.gateway_links: list[Proxy] = []
        for name in ("agent-1", "agent-2"):
            link = await self.put_proxy(f"redis of {name}", self.redis.port)
            self.redis_links.append(link)
            self.agents.append(self._agent(name, link.port))
        await asyncio.gather(*(agent.start() for agent in self.agents))
        for agent in self.agents:
            link = await self.put_proxy(agent.name, agent.grpc)
            link.http2 = True
            self.agent_links.append(link)
        await self._start_gateways()
        self.remember()
        self.channels = await self._channels()

    async def _channels(self) -> set[str]:
        return {str(channel) for channel in await self.redis.call("PUBSUB", "CHANNELS")}

    async def _start_gateways(self) -> None:
        self.gateways += [self._gateway(name) for name in ("gateway-1", "gateway-2")]
        await asyncio.gather(*(gateway.start() for gateway in self.gateways))
        for gateway in self.gateways:
            self.gateway_links.append(await self.put_proxy(gateway.name, gateway.http))

    def _agent(self, name: str, redis: int, more: dict[str, str] | None = None) -> Dragoman:
        settings = COMMON | {
            "only": "agent",
            "store": f"redis://127.0.0.1:{redis}",
            "model": f"scripted:{self.model}",
            "sessions.lease": f"{LEASE_SECONDS}s",
            "sessions.heartbeat": "1s",
        }
        settings |= more or {}
        return self._add(name, settings)

    def _gateway(self, name: str) -> Dragoman:
        agents = ",".join(f"http://127.0.0.1:{link.port}" for link in self.agent_links)
        settings = COMMON | BROWSERS | {"only": "gateway", "agents": agents, "shutdown.close_spread": "1s"}
        return self._add(name, settings)

    def _add(self, name: str, settings: dict[str, str]) -> Dragoman:
        dragoman = Dragoman(name, self.folder, settings, self.environment | self.extra.get(name, {}))
        self.processes.append(dragoman)
        return dragoman

    async def fail_over(self, replica: Redis) -> None:
        """The primary is gone; what looked for it finds the replica."""
        await self.redis.kill()
        self.processes.remove(self.redis)
        self.redis = replica
        for link in self.redis_links:
            link.upstream = replica.port
            link.cut()
            await link.listen()

    def browser_doors(self) -> list[int]:
        return [link.port for link in self.gateway_links]

    def grpc_doors(self) -> list[int]:
        return [link.port for link in self.agent_links]

    def log_ports(self) -> list[int]:
        return [agent.grpc for agent in self.agents]

    def stop_order(self) -> list[list[Process]]:
        return [list(self.gateways), list(self.agents), [self.redis]]

    def slack(self) -> int:
        # Connections between gateways and agents, and of agents to Redis, are kept and made anew as needed.
        return 6

    async def observe(self, left: Leftovers) -> None:
        await super().observe(left)
        with contextlib.suppress(OSError):
            # One channel is every agent's, for as long as it lives; the others are of sessions somebody looks at.
            left.channels = sorted(await self._channels() - self.channels)
            left.eternal_keys = [str(key) for key in await self.redis.call("EVAL", ETERNAL_KEYS, 0)]


class Direct(Cluster):
    """The same without proxies in between: they could not carry what a crowd is sent."""

    async def put_proxy(self, name: str, upstream: int) -> Proxy:
        # It never listens; who is told to connect to it connects to the process itself.
        return Proxy(name, upstream, upstream)


class Replicas(Cluster):
    """Two processes that each do everything, and Redis: what a tab is connected to also runs the turns it asks for."""

    async def _start_gateways(self) -> None:
        for agent in self.agents:
            self.gateway_links.append(await self.put_proxy(f"web of {agent.name}", agent.http))

    def _agent(self, name: str, redis: int) -> Dragoman:
        agent = super()._agent(name, redis, BROWSERS | {"only": "everything"})
        self.gateways.append(agent)
        return agent

    def stop_order(self) -> list[list[Process]]:
        return [list(self.agents), [self.redis]]


def sockets(pid: int) -> int:
    """Open sockets of a process."""
    count = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            count += str(descriptor.readlink()).startswith("socket:")
    return count
