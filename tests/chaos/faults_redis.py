"""Faults of Redis itself, in the middle of turns."""

import asyncio
import signal

from blows import HURT, longer_than_a_lease
from processes import Redis
from scenario import Run, scenario
from topology import LEASE_SECONDS, Cluster


@scenario("redis-restart", "Redis is told to end in mid-token and started again", Cluster, **HURT)
async def redis_restart(run: Run) -> None:
    await run.until_moment("mid-token")
    await run.cluster.redis.stop(10)
    await asyncio.sleep(run.rng.uniform(0.0, 1.0))
    await run.cluster.redis.start()


@scenario("redis-kill", "Redis is killed in mid-tool and started again", Cluster, **HURT)
async def redis_kill(run: Run) -> None:
    await run.until_moment("mid-tool")
    await run.cluster.redis.kill()
    await asyncio.sleep(run.rng.uniform(0.0, 1.0))
    await run.cluster.redis.start()


@scenario("redis-restart-long", "Redis is away for longer than a lease, in mid-token", Cluster, **HURT)
async def redis_restart_long(run: Run) -> None:
    await run.until_moment("mid-token")
    await run.cluster.redis.kill()
    await asyncio.sleep(longer_than_a_lease(run))
    await run.cluster.redis.start()


@scenario("redis-pause", "Redis answers nobody (CLIENT PAUSE) for a moment", Cluster)
async def redis_pause(run: Run) -> None:
    await run.until_moment("mid-token")
    await run.cluster.redis.call("CLIENT", "PAUSE", run.rng.randrange(300, 1000), "ALL")


@scenario("redis-pause-long", "Redis hangs (SIGSTOP) for longer than a lease", Cluster, **HURT)
async def redis_pause_long(run: Run) -> None:
    await run.until_moment("mid-token")
    run.cluster.redis.signal(signal.SIGSTOP)
    await asyncio.sleep(longer_than_a_lease(run))
    run.cluster.redis.signal(signal.SIGCONT)


@scenario(
    "redis-kill-subscriptions", "subscriptions are cut (CLIENT KILL TYPE pubsub), many times in one answer", Cluster
)
async def redis_kill_subscriptions(run: Run) -> None:
    await run.ask("slow")
    for _ in range(run.rng.randrange(4, 10)):
        await asyncio.sleep(run.rng.uniform(0.1, 0.4))
        await run.cluster.redis.call("CLIENT", "KILL", "TYPE", "pubsub")


@scenario("redis-kill-clients", "connections are cut (CLIENT KILL TYPE normal), many times in one answer", Cluster)
async def redis_kill_clients(run: Run) -> None:
    await run.ask("tools")
    for _ in range(run.rng.randrange(4, 10)):
        await asyncio.sleep(run.rng.uniform(0.1, 0.4))
        await run.cluster.redis.call("CLIENT", "KILL", "TYPE", "normal")


@scenario("redis-flushed", "everything in Redis is deleted (FLUSHALL) in mid-token", Cluster, lost_data=True, **HURT)
async def redis_flushed(run: Run) -> None:
    await run.until_moment("mid-token")
    await run.cluster.redis.call("FLUSHALL")


@scenario(
    "redis-flushed-in-silence", "everything in Redis is deleted while no turn runs", Cluster, lost_data=True, **HURT
)
async def redis_flushed_in_silence(run: Run) -> None:
    await run.cluster.redis.call("FLUSHALL")


@scenario("redis-scripts-flushed", "Redis forgets its scripts (SCRIPT FLUSH) in mid-token", Cluster)
async def redis_scripts_flushed(run: Run) -> None:
    await run.until_moment("mid-token")
    await run.cluster.redis.call("SCRIPT", "FLUSH")


@scenario("redis-full-in-mid-token", "Redis is full (maxmemory) from mid-token on, for some seconds", Cluster, **HURT)
async def redis_full_in_mid_token(run: Run) -> None:
    await run.until_moment("mid-token")
    await run.cluster.redis.call("CONFIG", "SET", "maxmemory", "1")
    await asyncio.sleep(run.rng.uniform(0.5, 6.0))
    await run.cluster.redis.call("CONFIG", "SET", "maxmemory", "0")


@scenario("redis-full-at-send", "Redis is full when questions are asked", Cluster, **HURT)
async def redis_full_at_send(run: Run) -> None:
    await run.cluster.redis.call("CONFIG", "SET", "maxmemory", "1")
    await run.ask("quick")
    await asyncio.sleep(run.rng.uniform(1.0, 3.0))
    await run.cluster.redis.call("CONFIG", "SET", "maxmemory", "0")


@scenario("redis-latency", "200 ms each way between agents and Redis", Cluster)
async def redis_latency(run: Run) -> None:
    for link in run.cluster.redis_links:
        link.delay(0.2)
    await run.ask("tools")
    await run.settle()
    for link in run.cluster.redis_links:
        link.delay(0.0)


@scenario("redis-readonly", "Redis becomes a read-only replica in mid-token, for some seconds", Cluster, **HURT)
async def redis_readonly(run: Run) -> None:
    await run.until_moment("mid-token")
    # Of a primary nobody hears of: what it holds stays as it is.
    await run.cluster.redis.call("REPLICAOF", "127.0.0.1", "1")
    await asyncio.sleep(run.rng.uniform(0.5, 6.0))
    await run.cluster.redis.call("REPLICAOF", "NO", "ONE")


@scenario(
    "redis-failover-lagging",
    "the primary is lost and a replica takes over that misses the last writes",
    Cluster,
    lost_data=True,
    **HURT,
)
async def redis_failover_lagging(run: Run) -> None:
    primary = run.cluster.redis
    replica = Redis("redis-replica", run.topology.folder, replica_of=primary.port)
    run.cluster.processes.append(replica)
    await replica.start()
    await replica.replicated()
    if run.rng.random() < 0.5:
        # The replica has the beginning of the turn.
        await run.until_moment("mid-token")
        await replica.call("REPLICAOF", "NO", "ONE")
        await asyncio.sleep(run.rng.uniform(0.2, 0.6))
    else:
        # It has nothing of the turn.
        await replica.call("REPLICAOF", "NO", "ONE")
        await run.until_moment("mid-token")
    await run.cluster.fail_over(replica)


@scenario("redis-failover", "the primary is lost and a replica takes over that misses nothing", Cluster, **HURT)
async def redis_failover(run: Run) -> None:
    replica = Redis("redis-replica", run.topology.folder, replica_of=run.cluster.redis.port)
    run.cluster.processes.append(replica)
    await replica.start()
    await replica.replicated()
    await run.until_moment("mid-token")
    # Nothing is written any more, and what was written arrives.
    for link in run.cluster.redis_links:
        link.unplug()
    await replica.caught_up(run.cluster.redis)
    await replica.call("REPLICAOF", "NO", "ONE")
    await run.cluster.fail_over(replica)


@scenario(
    "redis-pause-a-lease", "Redis hangs for about a lease: nobody's turn is over because nobody could say so", Cluster
)
async def redis_pause_a_lease(run: Run) -> None:
    await run.until_moment("mid-token")
    run.cluster.redis.signal(signal.SIGSTOP)
    await asyncio.sleep(run.rng.uniform(LEASE_SECONDS + 0.4, LEASE_SECONDS + 0.8))
    run.cluster.redis.signal(signal.SIGCONT)
