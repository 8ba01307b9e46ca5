"""Waits and events find each other whatever comes first (RUNTIME.md section 7), on the real Redis."""

import itertools
import uuid
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from redis.asyncio import Redis
from tests.fakes.clock import HandClock
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import TENANT, new_event, publish_workflow, running, settled
from tests.integration.store.builders import run_row

from workflow_runtime.core.contract import EventSignal
from workflow_runtime.core.machine.effects import Filter
from workflow_runtime.store.connection import millis
from workflow_runtime.store.events import (
    Acceptance,
    Claim,
    EventIntake,
    EventLedger,
    NewEvent,
    Wait,
    accept_event,
    explain,
    publish,
)
from workflow_runtime.store.runs import Runs
from workflow_runtime.store.waits import WaitIndex
from workflow_worker.ingress.planning import make_plan

pytestmark = pytest.mark.also_on_valkey


def wait_of(run_id: str = "run-1", *, name: str = "CLOSED", key: str | None = "T-1", **rest: Any) -> Wait:
    rest.setdefault("wait_id", "w")
    return Wait(tenant_id=TENANT, run_id=run_id, event_name=name, correlation_key=key, **rest)


async def accept(redis: Redis, event: NewEvent) -> Acceptance:
    return await accept_event(redis, EventIntake(redis), event)


async def routed_to(redis: Redis, event: NewEvent) -> set[str]:
    """The runs the router would signal now."""
    assert event.event_id is not None
    claim = await EventLedger(redis).claim(event.tenant, event.event_id, uuid.uuid4().hex)
    assert isinstance(claim, Claim)
    return {target.run_id for target in make_plan(claim).targets}


STEPS: list[tuple[str, ...]] = [
    order
    for order in itertools.permutations(("accept", "route", "register"))
    if order.index("accept") < order.index("route")
]


@pytest.mark.parametrize("key", ["T-1", None])
@pytest.mark.parametrize("since", ["run", "wait"])
@pytest.mark.parametrize("order", STEPS, ids="-".join)
async def test_an_event_reaches_the_wait_in_every_interleaving(
    redis_client: Redis, order: tuple[str, ...], since: Literal["run", "wait"], key: str | None
) -> None:
    event, seen = new_event("CLOSED", {"ticketId": "T-1"}), set[str]()
    for step in order:
        if step == "accept":
            await accept(redis_client, event)
        elif step == "route":
            seen |= await routed_to(redis_client, event)
        else:
            found = await WaitIndex(redis_client).register(wait_of(key=key), since=since)
            seen |= {"run-1" for signal in found if signal.event_id == event.event_id}
    came_first = order.index("accept") < order.index("register")
    assert seen == (set() if since == "wait" and came_first else {"run-1"})


async def test_the_trigger_event_does_not_resume_its_run_and_the_next_one_does(redis_client: Redis) -> None:
    trigger, following = (new_event("CLOSED", {"ticketId": "T-1"}) for _ in range(2))
    for event in (trigger, following):
        await accept(redis_client, event)
    wait = wait_of(trigger_event_id=trigger.event_id)
    # The run started long after both were accepted, as behind a concurrency limit: its trigger is the bound.
    found = await WaitIndex(redis_client).register(wait, run_started_ms=2**52, limit=9)
    assert [signal.event_id for signal in found] == [following.event_id]
    assert await routed_to(redis_client, trigger) == set()


async def test_an_event_from_before_the_run_does_not_count(redis_client: Redis) -> None:
    stale, trigger = new_event("CLOSED", {"ticketId": "T-1"}), new_event("CREATED", {"ticketId": "T-1"})
    await accept(redis_client, stale)
    await accept(redis_client, trigger)
    assert await WaitIndex(redis_client).register(wait_of(trigger_event_id=trigger.event_id)) == ()
    assert await routed_to(redis_client, stale) == set()


async def test_a_run_without_a_trigger_event_sees_what_came_since_it_started(redis_client: Redis) -> None:
    early, late = new_event("CLOSED", {"ticketId": "T-1"}), new_event("CLOSED", {"ticketId": "T-1"})
    await accept(redis_client, early)
    started_ms = (await EventLedger(redis_client).get(TENANT, early.event_id or "")).accepted_ms + 1
    while (await redis_client.time())[0] * 1000 + (await redis_client.time())[1] // 1000 <= started_ms:
        pass
    await accept(redis_client, late)
    found = await WaitIndex(redis_client).register(wait_of(), run_started_ms=started_ms, limit=9)
    assert [signal.event_id for signal in found] == [late.event_id]


@pytest.mark.parametrize("year", [1990, 2090], ids=["slow", "fast"])
async def test_what_a_run_may_see_depends_on_no_clock(redis_client: Redis, year: int) -> None:
    early, late = new_event("CLOSED", {"ticketId": "T-1"}), new_event("CLOSED", {"ticketId": "T-1"})
    await accept(redis_client, early)
    runs = Runs(redis_client, clock=HandClock(datetime(year, 1, 1, tzinfo=UTC)))
    assert await runs.create_run(run_row("run-1", tenant_id=TENANT))
    await accept(redis_client, late)
    row = await runs.get_run(TENANT, "run-1")
    assert row is not None
    started_ms = millis(row.created_at or "")
    found = await WaitIndex(redis_client).register(wait_of(), run_started_ms=started_ms, limit=9)
    assert [signal.event_id for signal in found] == [late.event_id]
    assert await routed_to(redis_client, early) == set()


async def test_filters_and_consumed_events_are_passed_over_in_order_of_acceptance(redis_client: Redis) -> None:
    events = [new_event("CLOSED", {"ticketId": "T-1", "by": by}) for by in ("bot", "ann", "bob", "eve")]
    for event in events:
        await accept(redis_client, event)
    index, human = WaitIndex(redis_client), (Filter(path="by", op="!=", value="bot"),)

    async def next_for(consumed: set[str | None]) -> list[str]:
        taken = {event_id for event_id in consumed if event_id}
        found = await index.register(wait_of(filters=human), consumed=taken)
        return [signal.payload["by"] for signal in found]

    assert await next_for(set()) == ["ann"]
    assert await next_for({events[1].event_id}) == ["bob"]
    assert await next_for({event.event_id for event in events}) == []


async def test_an_event_a_wait_refused_is_judged_anew_by_a_later_wait(redis_client: Redis) -> None:
    event = new_event("CLOSED", {"ticketId": "T-1", "state": "done"})
    index = WaitIndex(redis_client)
    refusing = wait_of(filters=(Filter(path="state", op="=", value="open"),))
    assert await index.register(refusing) == ()
    await accept(redis_client, event)
    assert await routed_to(redis_client, event) == set()
    await index.resolve(TENANT, "run-1", "w")
    [found] = await index.register(wait_of())
    assert found.event_id == event.event_id


async def test_a_key_is_matched_as_a_whole_whatever_characters_it_has(redis_client: Redis) -> None:
    index = WaitIndex(redis_client)
    nasty = ["a", "ab", "a|b", "a:b", "*", "k*", "a}", "%7C", "ä", "a b", "\\"]
    for key in nasty:
        await index.register(wait_of(f"run {key}", key=key))
    await index.register(wait_of("any", key=None))
    await index.register(wait_of("other name", name="CLOSED:a", key="a"))
    for key in nasty:
        found = await index.candidates(TENANT, "CLOSED", [key])
        assert [wait.run_id for wait in found] == ["any", f"run {key}"]


async def test_registering_again_changes_nothing_and_resolving_twice_is_harmless(redis_client: Redis) -> None:
    index = WaitIndex(redis_client)
    await index.register(wait_of(), since="wait")
    event = new_event("CLOSED", {"ticketId": "T-1"})
    await accept(redis_client, event)
    [again] = await index.register(wait_of(), since="wait")
    assert again.event_id == event.event_id
    assert len(await index.candidates(TENANT, "CLOSED", ["T-1"])) == 1
    assert await index.resolve(TENANT, "run-1", "w", event_id=event.event_id)
    assert not await index.resolve(TENANT, "run-1", "w", event_id=event.event_id)
    assert await index.candidates(TENANT, "CLOSED", ["T-1"]) == ()


async def test_a_run_that_ended_leaves_no_waits(redis_client: Redis) -> None:
    index = WaitIndex(redis_client)
    await index.register(wait_of())
    await index.register(wait_of(name="CANCELLED", key=None, wait_id="v"))
    await index.register(wait_of("run-2"))
    assert await index.forget_run(TENANT, "run-1") == 2
    assert [wait.run_id for wait in await index.named(TENANT, "CLOSED")] == ["run-2"]


async def test_waits_of_another_tenant_are_not_met(redis_client: Redis) -> None:
    await WaitIndex(redis_client).register(wait_of())
    event = new_event("CLOSED", {"ticketId": "T-1"}, tenant="umbrella")
    await accept(redis_client, event)
    assert await routed_to(redis_client, event) == set()


async def test_an_event_taken_late_is_no_longer_called_unmatched(redis_client: Redis) -> None:
    index = WaitIndex(redis_client)
    async with running(redis_client, RunGatewayFake()):
        event_id = await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"}))
        await settled(redis_client, event_id)
        [signal] = await index.register(wait_of())
        await index.resolve(TENANT, "run-1", "w", event_id=signal.event_id)
    explanation = await explain(redis_client, TENANT, event_id)
    assert explanation.reason is None
    assert [(taken.run_id, taken.wait_id) for taken in explanation.taken] == [("run-1", "w")]


async def test_a_wait_for_a_key_the_event_lacks_is_explained(redis_client: Redis) -> None:
    await WaitIndex(redis_client).register(wait_of(key="T-2"))
    async with running(redis_client, RunGatewayFake()):
        event_id = await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"}))
        await settled(redis_client, event_id)
    [row] = (await explain(redis_client, TENANT, event_id)).open_waits
    assert row.reason == "the wait is for key 'T-2', the event has 'T-1'"


async def test_an_open_wait_says_what_keeps_it_from_the_event(redis_client: Redis) -> None:
    index = WaitIndex(redis_client)
    async with running(redis_client, RunGatewayFake()):
        event_id = await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1", "ok": False}))
        await settled(redis_client, event_id)
        await index.register(wait_of("later", key="T-2"), since="wait")
        await index.register(wait_of("picky", filters=(Filter(path="ok", op="=", value=True),)))
        await index.register(wait_of("first"))
        await index.resolve(TENANT, "first", "w", event_id=event_id)
        await index.register(wait_of("first", wait_id="second"))
    found = {row.run_id: row.reason for row in (await explain(redis_client, TENANT, event_id)).open_waits}
    assert found == {
        "later": "the wait is for key 'T-2', the event has 'T-1'",
        "picky": "filter not met: ok = True, but it is False",
        "first": "the run has taken this event before, at another wait",
    }


async def test_of_very_many_open_waits_those_with_the_events_key_are_explained_first(redis_client: Redis) -> None:
    index = WaitIndex(redis_client)
    for number in range(120):
        await index.register(wait_of(f"other-{number}", key=f"A-{number}"))
    async with running(redis_client, RunGatewayFake()):
        event_id = await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"}))
        await settled(redis_client, event_id)
    await index.register(wait_of("wanted"), since="wait")
    rows = (await explain(redis_client, TENANT, event_id)).open_waits
    assert rows[0].run_id == "wanted"
    assert rows[0].reason.startswith("the event came before the wait may look")
    assert len({row.run_id for row in rows}) == len(rows) == 100


async def test_a_wait_whose_run_has_ended_is_forgotten_at_the_first_event(redis_client: Redis) -> None:
    await WaitIndex(redis_client).register(wait_of("ended"))
    async with running(redis_client, RunGatewayFake()):
        event = await settled(redis_client, await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"})))
    assert [(target.status, target.reason) for target in event.targets] == [("GONE", "the run that waited has ended")]
    assert await WaitIndex(redis_client).get(TENANT, "ended", "w") is None


async def test_a_signal_names_the_key_that_matched(redis_client: Redis) -> None:
    await WaitIndex(redis_client).register(wait_of("by client", key="C-9"))
    await WaitIndex(redis_client).register(wait_of("any", key=None))
    gateway = RunGatewayFake(live={"by client", "any"})
    async with running(redis_client, gateway):
        await settled(
            redis_client, await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1", "clientId": "C-9"}))
        )
    signals: dict[str, EventSignal] = dict(gateway.signalled)
    assert {run_id: signal.correlation_key for run_id, signal in signals.items()} == {"by client": "C-9", "any": "T-1"}


async def test_early_events_survive_the_start_of_the_run_they_belong_to(redis_client: Redis) -> None:
    """The second event is accepted before the run of the first one exists; its wait finds it all the same."""
    await publish_workflow(redis_client, "follow-up", "CREATED")
    trigger, early = new_event("CREATED", {"ticketId": "T-1"}), new_event("CLOSED", {"ticketId": "T-1"})
    gateway = RunGatewayFake()
    for event in (trigger, early):
        await publish(redis_client, event)
    async with running(redis_client, gateway):
        await settled(redis_client, early.event_id)
    [start] = gateway.started.values()
    assert start.event_id == trigger.event_id
    wait = wait_of(start.run_id, trigger_event_id=trigger.event_id)
    [signal] = await WaitIndex(redis_client).register(wait, run_started_ms=2**52)
    assert signal.event_id == early.event_id
