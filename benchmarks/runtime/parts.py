"""What is measured, part by part; each gives rows of the one table. Host process only."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from temporalio.api.enums.v1 import EventType

from benchmarks.runtime.definitions import ACTIONS, LOOP, LOOPS, NONE, SET, TRIM, WAITS
from benchmarks.runtime.sides import Handle, HandwrittenLocal, Side
from benchmarks.runtime.stand import Stand, Worker

type Row = list[str]
"""What, authored, handwritten, ratio of the first to the second."""

type Serving = tuple[Side, Sequence[Worker]]

_RUNS_AT: Final = {1: 5, 10: 30, 50: 60, 200: 200}
"""Concurrency to runs of one measurement."""

_WARM_UP: Final = 5
_OPEN_WAITS: Final = 1000
_SIGNALS: Final = 100


@dataclass(frozen=True)
class Load:
    """Runs per second of wall time, and the workers' seconds of processor time per run."""

    per_second: float
    cpu_seconds: float


async def actions(stand: Stand) -> list[Row]:
    """A: runs of twenty actions at rising concurrency, the two sides in turn."""
    rows = []
    async with _both(stand) as serving:
        for kind in (TRIM, SET):
            for concurrency in _RUNS_AT:
                rows += await _throughput(serving, kind, concurrency, "A")
    return rows


async def queued(stand: Stand) -> list[Row]:
    """Q: the same with every action over the queue, as the side by hand does it."""
    rows = []
    async with _both(stand, LOCAL_ACTIONS="false") as serving:
        for concurrency in (10, 50):
            rows += await _throughput(serving, TRIM, concurrency, "Q")
    return rows


async def local(stand: Stand) -> list[Row]:
    """L: the same, by hand with local activities too."""
    rows = []
    async with _both(stand) as (authored, (_, workers)):
        serving = [authored, (HandwrittenLocal(stand.handwritten.client), workers)]
        for concurrency in (10, 50):
            rows += await _throughput(serving, TRIM, concurrency, "L")
    return rows


async def _throughput(serving: Sequence[Serving], kind: str, concurrency: int, part: str) -> list[Row]:
    loads = [await _load(side, workers, kind, _RUNS_AT[concurrency], concurrency) for side, workers in serving]
    what = f"{part} {ACTIONS} x {_ACTION_NAMES[kind]}, {concurrency} at once"
    return [
        _compared(f"{what}: actions/s", [load.per_second * ACTIONS for load in loads]),
        _compared(f"{what}: processor ms/action", [load.cpu_seconds * 1000 / ACTIONS for load in loads], 2),
    ]


_ACTION_NAMES: Final = {TRIM: "transform.trim_text", SET: "store.set"}


async def pure_steps(stand: Stand) -> list[Row]:
    """B: if and assign steps; by hand they would be a line of Python, so there is nothing to compare with."""
    async with stand.workers(stand.authored) as workers:
        load = await _load(stand.authored, workers, LOOPS, 20, 10)
    return [[f"B if and assign steps/s, {2 * LOOP} a run", f"{load.per_second * 2 * LOOP:.0f}", "", ""]]


async def histories(stand: Stand) -> list[Row]:
    """C: what a step adds to the history: a run of twenty against one of none."""
    async with _both(stand) as serving:
        sizes = {(side.name, kind): await _size(side, kind) for side, _ in serving for kind in (NONE, TRIM)}
        sizes |= {(stand.authored.name, LOOPS): await _size(stand.authored, LOOPS)}
    rows = []
    for index, what in enumerate(("events", "bytes")):
        per_action = [(sizes[side.name, TRIM][index] - sizes[side.name, NONE][index]) / ACTIONS for side in stand.sides]
        rows.append(_compared(f"C {what} per action step", per_action, 1))
    for index, what in enumerate(("events", "bytes")):
        control = (sizes["authored", LOOPS][index] - sizes["authored", NONE][index]) / (2 * LOOP)
        rows.append([f"C {what} per control step", f"{control:.2f}", "", ""])
    return rows


async def signals(stand: Stand) -> list[Row]:
    """D: from the signal in the history to the result of the next step and to the end, by the server's clock."""
    async with _both(stand) as serving:
        handles = [await _open_waits(side, _SIGNALS) for side, _ in serving]
        for pair in zip(*handles, strict=True):
            for (side, _), handle in zip(serving, pair, strict=True):
                await side.signal(handle)
                await handle.result()
        delays = [[await _delays_ms(handle) for handle in of_side] for of_side in handles]
    rows = []
    for index, what in enumerate(("the result of the next step", "the end of the run")):
        cuts = [statistics.quantiles([delay[index] for delay in of_side], n=100) for of_side in delays]
        for percent in (50, 95):
            rows.append(_compared(f"D signal to {what}, p{percent}: ms", [cut[percent - 1] for cut in cuts], 1))
    return rows


async def memory(stand: Stand) -> list[Row]:
    """E: what a worker occupies with open waits, and what each adds."""
    before, after = [], []
    for side in stand.sides:
        async with stand.workers(side) as (worker,):
            for handle in await _open_waits(side, _WARM_UP):
                await side.signal(handle)
                await handle.result()
            before.append(worker.resident_mb)
            await _open_waits(side, _OPEN_WAITS)
            after.append(worker.resident_mb)
    each = [(late - early) * 1024 / _OPEN_WAITS for early, late in zip(before, after, strict=True)]
    return [
        _compared(f"E worker with {_OPEN_WAITS} open waits: MB", after),
        _compared("E each open wait: KB", each),
    ]


async def two_workers(stand: Stand) -> list[Row]:
    """F: how much more two workers do than one."""
    gains = []
    for side in stand.sides:
        rates = []
        for count in (1, 2):
            async with stand.workers(side, count) as workers:
                rates.append((await _load(side, workers, TRIM, 100, 50)).per_second)
        gains.append(rates[1] / rates[0])
    return [_compared("F two workers against one, 50 at once", gains, 2)]


PARTS: Final[dict[str, Callable[[Stand], Awaitable[list[Row]]]]] = {
    "A": actions,
    "Q": queued,
    "L": local,
    "B": pure_steps,
    "C": histories,
    "D": signals,
    "E": memory,
    "F": two_workers,
}


@asynccontextmanager
async def _both(stand: Stand, **settings: str) -> AsyncIterator[list[Serving]]:
    """A worker of each side; ``settings`` are for the authored one."""
    async with (
        stand.workers(stand.authored, 1, **settings) as authored,
        stand.workers(stand.handwritten) as handwritten,
    ):
        yield [(stand.authored, authored), (stand.handwritten, handwritten)]


async def _load(side: Side, workers: Sequence[Worker], kind: str, runs: int, concurrency: int) -> Load:
    """Run so many, at most ``concurrency`` at a time, after a few that warm up."""
    await _run_all(side, kind, await side.prepare(kind, _WARM_UP), _WARM_UP)
    run_ids = await side.prepare(kind, runs)
    cpu, wall = sum(worker.cpu_seconds for worker in workers), time.perf_counter()
    await _run_all(side, kind, run_ids, concurrency)
    wall, cpu = time.perf_counter() - wall, sum(worker.cpu_seconds for worker in workers) - cpu
    return Load(runs / wall, cpu / runs)


async def _run_all(side: Side, kind: str, run_ids: Sequence[str], concurrency: int) -> None:
    places = asyncio.Semaphore(concurrency)

    async def one(run_id: str) -> None:
        async with places:
            handle = await side.start(kind, run_id)
            await handle.result()

    async with asyncio.TaskGroup() as tasks:
        for run_id in run_ids:
            tasks.create_task(one(run_id))


async def _size(side: Side, kind: str) -> tuple[int, int]:
    """Events and bytes of the history of one run."""
    (run_id,) = await side.prepare(kind, 1)
    handle = await side.start(kind, run_id)
    await handle.result()
    info = (await handle.describe()).raw_description.workflow_execution_info
    return info.history_length, info.history_size_bytes


async def _open_waits(side: Side, count: int) -> list[Handle]:
    """Runs that have come to their wait: their last workflow task is done and nothing of theirs is under way."""
    run_ids = await side.prepare(WAITS, count)
    places = asyncio.Semaphore(50)

    async def one(run_id: str) -> Handle:
        async with places:
            handle = await side.start(WAITS, run_id)
            while not await _rests(handle):  # noqa: ASYNC110 - a server has no event
                await asyncio.sleep(0.05)
            return handle

    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(one(run_id)) for run_id in run_ids]
    return [task.result() for task in started]


async def _rests(handle: Handle) -> bool:
    """Whether the run has opened its wait. Local activities are under way within a workflow task."""
    info = (await handle.describe()).raw_description
    return info.workflow_execution_info.history_length > 3 and not info.HasField("pending_workflow_task")


async def _delays_ms(handle: Handle) -> tuple[float, float]:
    """From the signal to the result of the last step, and to the end of the run."""
    events = (await handle.fetch_history()).events
    latest = {event.event_type: event.event_time.ToNanoseconds() for event in events}
    result = max(latest[kind] for kind in _RESULTS if kind in latest)
    return (result - latest[_SIGNALLED]) / 1e6, (latest[_COMPLETED] - latest[_SIGNALLED]) / 1e6


_SIGNALLED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
_COMPLETED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
_RESULTS: Final = (EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, EventType.EVENT_TYPE_MARKER_RECORDED)
"""How the result of a step comes into the history; the last of a run is that of its last step, or comes later."""


def _compared(what: str, values: Sequence[float], digits: int = 0) -> Row:
    authored, handwritten = values
    return [what, f"{authored:.{digits}f}", f"{handwritten:.{digits}f}", f"{authored / handwritten:.2f}"]
