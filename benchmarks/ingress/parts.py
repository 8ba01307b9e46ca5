"""What is measured. Benchmarks only."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from benchmarks.ingress.sides import Deliver, Delivered, bare_loop, bare_signal, bare_start, ingress
from benchmarks.ingress.stand import Replica, Stand, new_event
from workflow_runtime.core.contract import EVENT_CONSUMER_GROUP
from workflow_runtime.store.events import publish

EVENTS = 1500
ROUNDS = 6
AT_A_RATE = 500
BACKLOG = 100_000

type Row = list[str]
type Part = Callable[[Stand], Awaitable[list[Row]]]


async def start(stand: Stand) -> list[Row]:
    """Events per second from XADD to run started"""
    return await _throughput(stand, "START", bare_start)


async def signal(stand: Stand) -> list[Row]:
    """Events per second from XADD to signal delivered"""
    await stand.start_runs(EVENTS)
    return await _throughput(stand, "SIGNAL", bare_signal)


async def _throughput(stand: Stand, name: str, deliver: Deliver) -> list[Row]:
    ours: list[Delivered] = []
    theirs: list[Delivered] = []
    for number in range(ROUNDS):
        # In turns, and in turns the first, because the server becomes slower with all that it has stored.
        for bare in (True, False) if number % 2 else (False, True):
            await stand.clear()
            if name == "SIGNAL" and not bare:
                await stand.open_waits(EVENTS)
            await stand.fill(name, EVENTS)
            async with bare_loop(stand, deliver) if bare else ingress(stand) as delivered:
                await delivered.until(EVENTS)
            (theirs if bare else ours).append(delivered)
    rows = [(f"{name}: events/s", [each.per_second() for each in ours], [each.per_second() for each in theirs])]
    rows.append((f"{name}: processor ms/event", [each.cpu_ms() for each in ours], [each.cpu_ms() for each in theirs]))
    return [_compared(what, statistics.mean(here), statistics.mean(there)) for what, here, there in rows]


def _compared(what: str, here: float, there: float) -> Row:
    digits = 0 if here >= 10 else 2
    return [what, f"{here:.{digits}f}", f"{there:.{digits}f}", f"{here / there:.2f}"]


async def latency(stand: Stand) -> list[Row]:
    """Milliseconds from XADD to run started, at half of what the ingress can start"""
    await stand.clear()
    await stand.fill("START", AT_A_RATE)
    async with ingress(stand) as delivered:
        await delivered.until(AT_A_RATE)
    rate = delivered.per_second() / 2
    await stand.clear()
    async with ingress(stand) as delivered:
        ours = await _at_a_rate(stand, delivered, rate)
    await stand.clear()
    async with bare_loop(stand, bare_start) as delivered:
        theirs = await _at_a_rate(stand, delivered, rate)
    return [
        _compared(f"latency at {rate:.0f} events/s, {name} in ms", ours[cut], theirs[cut])
        for name, cut in (("p50", 49), ("p99", 98))
    ]


async def _at_a_rate(stand: Stand, delivered: Delivered, per_second: float) -> list[float]:
    put: dict[str, float] = {}
    begun = time.perf_counter()
    for number in range(AT_A_RATE):
        await asyncio.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
        at = time.perf_counter()
        put[await publish(stand.redis, new_event("START", number))] = at
    await delivered.until(AT_A_RATE)
    found = [(delivered.at[event_id] - at) * 1000 for event_id, at in put.items()]
    return statistics.quantiles(found, n=100)


async def replicas(stand: Stand) -> list[Row]:
    """Events per second of two replicas and of one, each a process"""
    rates = []
    for count in (1, 2):
        await stand.clear()
        async with stand.replicas(count):
            await stand.fill("START", EVENTS)
            # The first tenth lets all of them come to work.
            await stand.until_settled(EVENTS // 10)
            begun, before = time.perf_counter(), await stand.settled()
            await stand.until_settled(EVENTS)
            rates.append((EVENTS - before) / (time.perf_counter() - begun))
    one, two = rates
    return [
        ["one replica: events/s", f"{one:.0f}", "", ""],
        ["two replicas: events/s, and ratio to one", f"{two:.0f}", "", f"{two / one:.2f}"],
    ]


async def recovery(stand: Stand) -> list[Row]:
    """Seconds after kill -9 of the replica that reads, under load"""
    await stand.clear()
    async with stand.replicas(2) as pair:
        await stand.fill("START", EVENTS)
        await stand.until_settled(EVENTS // 3)
        reader = await _reader(stand, pair)
        reader.kill()
        killed = time.perf_counter()
        left, settled = await stand.unsettled(), await stand.settled()
        await stand.until_settled(settled + 1)
        first = time.perf_counter() - killed
        fresh = await publish(stand.redis, new_event("START", EVENTS))
        while left & await stand.unsettled():  # noqa: ASYNC110 - nor has a set in Redis
            await asyncio.sleep(0.01)
        pending = time.perf_counter() - killed
        await stand.until_settled(EVENTS + 1)
        assert fresh not in await stand.unsettled()
        everything = time.perf_counter() - killed
    return [
        ["kill -9 of the reader: s to the next event", f"{first:.2f}", "", ""],
        [f"kill -9: s to the last of {len(left)} accepted and open", f"{pending:.2f}", "", ""],
        ["kill -9: s to the last event of all, one put afterwards", f"{everything:.2f}", "", ""],
    ]


async def _reader(stand: Stand, pair: list[Replica]) -> Replica:
    name = str(await stand.redis.get(f"{{workflow:events:global}}:reader:{EVENT_CONSUMER_GROUP}"))
    return next(replica for replica in pair if name.startswith(f"{replica.identity}#"))


async def memory(stand: Stand) -> list[Row]:
    """MiB of a replica with nothing to do, and at a backlog of 100,000 events"""
    await stand.clear()
    async with stand.replicas(1) as [replica]:
        # A first few events, so that what is loaded and cached once is not counted as backlog.
        await stand.fill("START", 200)
        await stand.until_settled(200)
        idle = replica.resident_mib()
        await stand.fill("START", BACKLOG)
        most, begun = idle, time.perf_counter()
        while time.perf_counter() - begun < 20:
            await asyncio.sleep(0.1)
            most = max(most, replica.resident_mib())
        waiting = BACKLOG + 200 - await stand.settled()
        replica.kill()
    return [
        ["resident MiB, nothing to do", f"{idle:.0f}", "", ""],
        [f"resident MiB, at most, {waiting:,} events waiting", f"{most:.0f}", "", f"{most / idle:.2f}"],
    ]


PARTS: dict[str, Part] = {
    "start": start,
    "signal": signal,
    "latency": latency,
    "replicas": replicas,
    "recovery": recovery,
    "memory": memory,
}
"""In the order in which they are measured; the docstrings say what."""
