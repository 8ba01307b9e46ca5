"""What counts as having ended a process: only work whose process is gone, never a slow process and never an outage."""

import asyncio
import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, OutOfMemoryError, ReadOnlyError, ResponseError
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import QUICK, TENANT, new_event, publish_workflow, running, settled, until

from workflow_runtime.core.contract import EVENT_CONSUMER_GROUP, EVENT_STREAM
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.connection import is_outage
from workflow_runtime.store.events import (
    Acceptance,
    Claim,
    DeadLetters,
    EventIntake,
    EventLedger,
    EventSource,
    EventStream,
    Hold,
    IncomingEvent,
    Message,
    ReadState,
    Target,
    TargetStatus,
    accept_event,
    publish,
)
from workflow_runtime.store.events.claims import new_token
from workflow_runtime.store.schemas import Schemas
from workflow_runtime.store.waits import WaitIndex
from workflow_worker.ingress.delivery import Delivery
from workflow_worker.ingress.loops import pause_or
from workflow_worker.ingress.metrics import IngressMetrics
from workflow_worker.ingress.planning import trigger_target
from workflow_worker.ingress.routing import Routing
from workflow_worker.ingress.status import IngressStatus

pytestmark = pytest.mark.also_on_valkey

TARGET = Target(id="trigger:w", kind="trigger", run_id="w")


async def accepted(redis: Redis) -> str:
    return (await accept_event(redis, EventIntake(redis), new_event("E"))).event_id


async def claimed(ledger: EventLedger, event_id: str) -> Claim:
    """A claim as soon as the last one's lease is over."""
    found = await until(lambda: ledger.claim(TENANT, event_id, uuid.uuid4().hex), lambda claim: claim != "leased")
    assert isinstance(found, Claim)
    return found


async def suspicion(ledger: EventLedger, event_id: str) -> tuple[int, list[int]]:
    """What the next claim would be told: first passes and attempts of each target that were left behind."""
    claim = await claimed(ledger, event_id)
    await ledger.give_up([claim.hold])
    return claim.begun, [target.abandoned for target in claim.event.targets]


@pytest.fixture
def brief(redis_client: Redis) -> EventLedger:
    """A ledger whose leases run out at once, as those of a process that gets no processor time do."""
    return EventLedger(redis_client, lease_seconds=0.01)


async def test_each_process_that_ends_in_a_first_pass_counts(redis_client: Redis, brief: EventLedger) -> None:
    event_id = await accepted(redis_client)
    counts = []
    for _ in range(4):
        claim = await claimed(brief, event_id)
        counts.append(claim.begun)
        if claim.begun:
            await brief.note_first_pass(claim)
    assert counts == [0, 1, 2, 3]


async def test_a_first_pass_that_waits_for_its_turn_counts_for_nothing(redis_client: Redis, brief: EventLedger) -> None:
    event_id = await accepted(redis_client)
    assert [(await claimed(brief, event_id)).begun for _ in range(4)] == [0, 1, 1, 1]


async def test_a_slow_process_that_comes_back_takes_its_first_pass_from_the_count(
    redis_client: Redis, brief: EventLedger
) -> None:
    event_id = await accepted(redis_client)
    slow, slower = await claimed(brief, event_id), await claimed(brief, event_id)
    await brief.note_first_pass(slower)
    assert await suspicion(brief, event_id) == (2, [])
    assert await brief.begin(slow, [TARGET], considered=()) is None
    assert await suspicion(brief, event_id) == (1, [])
    assert await brief.finish(slower, (), reason="") is None
    assert await suspicion(brief, event_id) == (0, [])


async def test_each_process_that_ends_in_an_attempt_counts_against_its_target(
    redis_client: Redis, brief: EventLedger
) -> None:
    event_id = await accepted(redis_client)
    await brief.begin(await claimed(brief, event_id), [TARGET], considered=())
    assert await suspicion(brief, event_id) == (0, [1])
    again = await claimed(brief, event_id)
    await brief.begin(again, again.event.targets)
    assert await suspicion(brief, event_id) == (0, [2])


async def test_a_slow_process_that_comes_back_takes_its_attempt_from_the_count(
    redis_client: Redis, brief: EventLedger
) -> None:
    event_id = await accepted(redis_client)
    slow = await claimed(brief, event_id)
    tried = await brief.begin(slow, [TARGET], considered=())
    assert tried
    assert await suspicion(brief, event_id) == (0, [1])
    done = tried[0].model_copy(update={"status": TargetStatus.DELIVERED})
    assert await brief.finish(slow, [done], reason="") is None, "another has taken the event meanwhile"
    assert await suspicion(brief, event_id) == (0, [0])


async def test_a_claim_whose_answer_was_lost_can_be_taken_back(redis_client: Redis, brief: EventLedger) -> None:
    event_id = await accepted(redis_client)
    await brief.claim(TENANT, event_id, "lost")
    await brief.give_up([Hold(TENANT, event_id, "lost"), Hold(TENANT, "nobody", "t")])
    assert await suspicion(brief, event_id) == (0, [])


async def starved(redis: Redis, event_id: str, names: Sequence[str], *, attempt: bool = False) -> list[Claim]:
    """Passes of processes that are heard of, and lost their leases one after the other because they were slow: in the
    first pass, or in the attempt of the event's trigger."""
    ledger, claims = EventLedger(redis, lease_seconds=0.01), list[Claim]()
    for name in names:
        await ledger.presence.beat(name)
        take = partial(ledger.claim, TENANT, event_id, new_token(name))
        claim = await until(take, lambda found: found != "leased")
        assert isinstance(claim, Claim)
        if attempt:
            targets = claim.event.targets or [trigger_target(claim.event, trigger) for trigger in claim.triggers]
            await ledger.begin(claim, targets, considered=None if claim.planned else ())
        elif claim.doubtful:
            await ledger.note_first_pass(claim)
        claims.append(claim)
    return claims


async def test_a_first_pass_of_a_process_that_is_heard_of_is_in_doubt_until_it_falls_silent(
    redis_client: Redis,
) -> None:
    event_id = await accepted(redis_client)
    await starved(redis_client, event_id, ["slow", "slower"])
    claim = await claimed(EventLedger(redis_client, lease_seconds=0.01), event_id)
    assert (claim.begun, claim.doubtful) == (0, {"plan": 2})
    impatient = EventLedger(redis_client, lease_seconds=0.01, silence_seconds=0.01)
    claim = await until(lambda: claimed(impatient, event_id), lambda claim: claim.begun == 2)
    assert claim.doubtful == {}


async def test_an_attempt_of_a_process_that_is_heard_of_is_in_doubt_until_it_falls_silent(redis_client: Redis) -> None:
    event_id = await accepted(redis_client)
    await publish_workflow(redis_client, "w", "E")
    await starved(redis_client, event_id, ["slow"], attempt=True)
    claim = await claimed(EventLedger(redis_client, lease_seconds=0.01), event_id)
    assert ([target.abandoned for target in claim.event.targets], claim.doubtful) == ([0], {"trigger:w": 1})
    impatient = EventLedger(redis_client, lease_seconds=0.01, silence_seconds=0.01)
    await until(lambda: suspicion(impatient, event_id), (0, [1]).__eq__)


IMPATIENT = QUICK.model_copy(update={"max_deliveries": 3, "lease_seconds": 0.1})


async def heard_of(redis: Redis, names: Sequence[str], stop: asyncio.Event) -> None:
    while not stop.is_set():
        for name in names:
            await EventLedger(redis).presence.beat(name)
        await pause_or(stop, 0.05)


@pytest.mark.parametrize("attempt", [False, True], ids=["first pass", "attempt"])
async def test_starved_replicas_that_all_hold_one_event_do_not_bury_it(redis_client: Redis, attempt: bool) -> None:
    await publish_workflow(redis_client, "w", "E")
    event_id = await accepted(redis_client)
    names, stop = [f"slow-{number}" for number in range(3)], asyncio.Event()
    claims = await starved(redis_client, event_id, names, attempt=attempt)
    living, gateway = asyncio.create_task(heard_of(redis_client, names, stop)), RunGatewayFake()
    async with running(redis_client, gateway, IMPATIENT):
        await asyncio.sleep(2 * IMPATIENT.silence_seconds)
        assert (await DeadLetters(redis_client).count(), gateway.calls) == (0, [])
        await EventLedger(redis_client).give_up([claim.hold for claim in claims])
        event = await settled(redis_client, event_id)
        stop.set()
        await living
    assert [target.status for target in event.targets] == ["DELIVERED"]


class FlakyLedger(EventLedger):
    """Raises ``fault`` instead of beginning."""

    fault: Exception

    async def begin(self, *_arguments: Any, **_options: Any) -> list[Target] | None:
        raise self.fault


@pytest.mark.parametrize(
    ("fault", "counted"),
    [(RedisConnectionError("away"), 0), (OutOfMemoryError("OOM"), 0), (RuntimeError("a defect"), 1)],
    ids=["connection", "memory", "defect"],
)
async def test_a_pass_that_an_outage_ended_counts_for_nothing(
    redis_client: Redis, brief: EventLedger, fault: Exception, counted: int
) -> None:
    await publish_workflow(redis_client, "w", "E")
    event_id = await accepted(redis_client)
    flaky = FlakyLedger(redis_client, lease_seconds=0.01)
    flaky.fault = fault
    delivery = Delivery(RunGatewayFake(), Catalog(redis_client), Schemas(redis_client), WaitIndex(redis_client), QUICK)
    metrics = IngressMetrics(CollectorRegistry(), IngressStatus(QUICK))
    routing = Routing(flaky, delivery, DeadLetters(redis_client), metrics, QUICK, identity="w")
    with pytest.raises(type(fault)):
        await routing.route(TENANT, event_id)
    await routing.keep_claims()
    assert await suspicion(brief, event_id) == (counted, [])


class FlakyIntake:
    """In place of EventIntake.accept: raises for a number of calls."""

    def __init__(self, fault: Exception, times: int) -> None:
        self.fault = fault
        self.left = times
        self.accept = EventIntake.accept

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def accept(
            intake: EventIntake, events: Sequence[IncomingEvent], source: EventSource, **options: Any
        ) -> list[Acceptance]:
            if self.left and events:
                self.left -= 1
                raise self.fault
            return await self.accept(intake, events, source, **options)

        monkeypatch.setattr(EventIntake, "accept", accept)


async def test_a_message_outlives_any_number_of_outages(redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    FlakyIntake(RedisConnectionError("away"), times=5).install(monkeypatch)
    settings = QUICK.model_copy(update={"max_deliveries": 2})
    async with running(redis_client, RunGatewayFake(), settings):
        await settled(redis_client, await publish(redis_client, new_event("E")))
    assert await DeadLetters(redis_client).count() == 0


async def test_a_message_that_no_outage_keeps_from_being_accepted_is_poison(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    FlakyIntake(RuntimeError("a defect"), times=3).install(monkeypatch)
    settings = QUICK.model_copy(update={"max_deliveries": 2})
    async with running(redis_client, RunGatewayFake(), settings):
        await publish(redis_client, new_event("E"))
        await until(DeadLetters(redis_client).count)


async def reader(redis: Redis, name: str, **options: Any) -> EventStream:
    """A process that was heard of and may read."""
    await EventLedger(redis).presence.beat(name)
    return EventStream(redis, group=EVENT_CONSUMER_GROUP, consumer=name, lease_seconds=60, **options)


async def passed_on(redis: Redis, names: Sequence[str]) -> str:
    """A message which each of these took, and held for longer than its lease; its id."""
    first = await reader(redis, names[0])
    await first.ensure_group()
    assert (await first.read(1)).state is ReadState.RECOVER
    await publish(redis, new_event("E"))
    [message] = (await first.read(1)).messages
    await first.leave()
    for name in names[1:]:
        taking = await reader(redis, name)
        assert isinstance(await taking.reclaim(message.id, max_deliveries=100), Message)
        await taking.leave()
    return message.id


async def test_readers_that_come_back_to_life_are_not_counted_against_their_message(redis_client: Redis) -> None:
    names = [f"slow-{number}" for number in range(5)]
    message_id = await passed_on(redis_client, names)
    last = await reader(redis_client, "last")
    take = partial(last.reclaim, message_id, max_deliveries=5)
    assert await take() is ReadState.DOUBT
    for name in names:
        await EventLedger(redis_client).presence.beat(name)
    message = await until(take, lambda got: isinstance(got, Message))
    assert (message.deliveries, message.blamed) == (6, 0)


async def test_readers_that_stay_silent_are_counted_against_their_message(redis_client: Redis) -> None:
    message_id = await passed_on(redis_client, [f"slow-{number}" for number in range(5)])
    last = await reader(redis_client, "last", silence_seconds=0.5)
    take = partial(last.reclaim, message_id, max_deliveries=5)
    message = await until(take, lambda got: isinstance(got, Message))
    assert (message.deliveries, message.blamed) == (6, 5)


async def test_a_reader_that_fails_again_and_again_is_counted_though_it_lives(redis_client: Redis) -> None:
    message_id = await passed_on(redis_client, ["alive"])
    alive = await reader(redis_client, "alive")
    found = [await alive.reclaim(message_id, max_deliveries=3) for _ in range(3)]
    assert [message.blamed for message in found if isinstance(message, Message)] == [1, 2, 3]


async def test_a_delivery_is_taken_back_once_and_by_the_reader_only(redis_client: Redis) -> None:
    readers = [
        EventStream(redis_client, group=EVENT_CONSUMER_GROUP, consumer=name, lease_seconds=60) for name in ("a", "b")
    ]
    await readers[0].ensure_group()
    assert (await readers[0].read(1)).state is ReadState.RECOVER
    await publish(redis_client, new_event("E"))
    result = await readers[0].read(1)
    assert await readers[1].uncount(result.messages) == 0
    assert await readers[0].uncount(result.messages) == 1
    assert await readers[0].uncount(result.messages) == 0
    [row] = await redis_client.xpending_range(EVENT_STREAM, EVENT_CONSUMER_GROUP, min="-", max="+", count=1)
    assert row["times_delivered"] == 0


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (RedisConnectionError("closed"), True),
        (ResponseError("MISCONF Redis is configured to save RDB snapshots"), True),
        (ResponseError("NOREPLICAS Not enough good replicas to write."), True),
        (ResponseError("OOM command not allowed when used memory > 'maxmemory'. script: 0c, on @user_script:9."), True),
        (ReadOnlyError("You can't write against a read only replica. script: 0c, on @user_script:9."), True),
        (NoPermissionError("No permissions to access a key"), True),
        (ResponseError("ACL failure in script: User worker has no permissions to run the 'xack' command"), True),
        (ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"), False),
        (ResponseError("user_script:3: bad argument"), False),
        (TimeoutError(), True),
        (ValueError("x"), False),
    ],
    ids=str,
)
def test_an_outage_is_told_from_a_fault_of_what_was_asked(error: Exception, outage: bool) -> None:
    assert is_outage(error) is outage
