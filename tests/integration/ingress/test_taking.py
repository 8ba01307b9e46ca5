"""Events that are taken for routing in the step that records them, which spares an idle replica two round trips."""

from collections.abc import Sequence
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import QUICK, TENANT, new_event, publish_workflow, running, settled, until

from workflow_runtime.store.events import (
    Acceptance,
    Claim,
    DeadLetters,
    EventIntake,
    EventLedger,
    EventSource,
    EventStream,
    IncomingEvent,
    Message,
    NewEvent,
    Refusal,
    Wait,
    publish,
)
from workflow_runtime.store.waits import WaitIndex

pytestmark = pytest.mark.also_on_valkey


async def taken(redis: Redis, *events: NewEvent, lease_seconds: float = 60.0) -> list[Acceptance]:
    """Accept events with a token for each."""
    intake = EventIntake(redis, lease_seconds=lease_seconds)
    tokens = [f"token-{number}" for number in range(len(events))]
    return await intake.accept([event.incoming() for event in events], EventSource.STREAM, tokens=tokens)


async def test_an_event_is_recorded_and_taken_with_everything_it_may_go_to(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    for run_id, key in (("any", None), ("same", "T-1"), ("other", "T-2")):
        await WaitIndex(redis_client).register(Wait(TENANT, run_id, "w", "CLOSED", key), since="wait")
    event = new_event("CLOSED", {"ticketId": "T-1"})
    [acceptance] = await taken(redis_client, event)
    ledger = EventLedger(redis_client)
    assert await ledger.claim(TENANT, acceptance.event_id, "another") is Refusal.LEASED
    again = await ledger.claim(TENANT, acceptance.event_id, "token-0")
    assert isinstance(again, Claim)
    assert acceptance.claim is not None
    assert [wait.run_id for wait in acceptance.claim.waits] == ["any", "same"]
    assert [trigger.workflow_id for trigger in acceptance.claim.triggers] == ["follow-up"]
    assert (acceptance.claim.event, acceptance.claim.waits) == (again.event, again.waits)
    assert (acceptance.claim.triggers, acceptance.claim.planned) == (again.triggers, again.planned)
    assert await ledger.finish(acceptance.claim, (), reason="nobody") is not None
    assert await ledger.claim(TENANT, acceptance.event_id, "another") is Refusal.DONE


async def test_only_a_new_event_that_nothing_goes_before_is_taken(redis_client: Redis) -> None:
    first, behind, elsewhere = (new_event("CLOSED", {"ticketId": ticket}) for ticket in ("T-1", "T-1", "T-2"))
    found = await taken(redis_client, first, behind, first, elsewhere)
    assert [(each.claim is not None, each.runnable, each.duplicate) for each in found] == [
        (True, True, False),
        (False, False, False),
        (False, False, True),
        (True, True, False),
    ]


async def test_events_without_a_token_are_left_to_others(redis_client: Redis) -> None:
    events = [new_event("CLOSED", {"ticketId": str(number)}).incoming() for number in range(3)]
    found = await EventIntake(redis_client).accept(events, EventSource.STREAM, tokens=["only-one"])
    assert [each.claim is not None for each in found] == [True, False, False]
    assert all(each.runnable for each in found)


async def test_what_a_process_took_before_it_died_is_free_after_its_lease_and_counted(redis_client: Redis) -> None:
    [acceptance] = await taken(redis_client, new_event("CLOSED"), lease_seconds=0.01)
    ledger = EventLedger(redis_client)
    claim = await until(lambda: ledger.claim(TENANT, acceptance.event_id, "b"), lambda found: found != "leased")
    assert isinstance(claim, Claim)
    assert claim.begun == 1


async def test_an_idle_replica_routes_what_it_reads_without_the_ready_queue(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[tuple[str, str]] = []
    acknowledge = EventStream.acknowledge

    async def noted(stream: EventStream, messages: Sequence[Message], events: Sequence[tuple[str, str]]) -> None:
        offered.extend(events)
        await acknowledge(stream, messages, events)

    monkeypatch.setattr(EventStream, "acknowledge", noted)
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    gateway = RunGatewayFake()
    settings = QUICK.model_copy(update={"grace_seconds": 3600.0, "lease_seconds": 3600.0})
    async with running(redis_client, gateway, settings) as ingress:
        await until(lambda: ingress.status.reading)
        for number in range(5):
            await settled(redis_client, await publish(redis_client, new_event("CLOSED", {"ticketId": str(number)})))
    assert len(gateway.started) == 5
    assert offered == []


class LosingIntake:
    """In place of EventIntake.accept: does it, and loses the answer the first time."""

    def __init__(self) -> None:
        self.accept = EventIntake.accept
        self.lost = 0

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def accept(
            intake: EventIntake, events: Sequence[IncomingEvent], source: EventSource, **options: Any
        ) -> list[Acceptance]:
            found = await self.accept(intake, events, source, **options)
            if any(each.claim for each in found) and not self.lost:
                self.lost += 1
                raise RedisConnectionError("closed before the answer came")
            return found

        monkeypatch.setattr(EventIntake, "accept", accept)


async def test_what_was_taken_by_an_answer_that_was_lost_is_let_go_and_not_counted(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    losing = LosingIntake()
    losing.install(monkeypatch)
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    gateway = RunGatewayFake()
    async with running(redis_client, gateway, QUICK.model_copy(update={"max_deliveries": 1})) as ingress:
        await until(lambda: ingress.status.reading)
        await settled(redis_client, await publish(redis_client, new_event("CLOSED")))
    assert (losing.lost, len(gateway.started)) == (1, 1)
    assert await DeadLetters(redis_client).count() == 0
