"""The action ledger: a succeeded action answers, a failed one runs again, an unknown one runs as recovered."""

from datetime import timedelta
from typing import Any, Literal

import pytest
from redis.asyncio import Redis
from tests.fakes.clock import HandClock
from tests.integration.store.builders import AT, TENANT, action_request

from workflow_runtime.core.errors import ActionFailure, Category
from workflow_runtime.store.connection import iso
from workflow_runtime.store.errors import ConflictError
from workflow_runtime.store.ledger import ActionLedger, LedgerEntry, LedgerVerdict

pytestmark = pytest.mark.also_on_valkey

AUTHORED = "acme:welcome-42"
FAILURE = ActionFailure("refused", code="E1", details={"list": []}).to_failure()


@pytest.fixture
def ledger(redis_client: Redis) -> ActionLedger:
    return ActionLedger(redis_client, clock=HandClock())


async def begun(ledger: ActionLedger, *, side_effectful: bool = True, **fields: object) -> LedgerVerdict:
    verdict, output = await ledger.begin(action_request(**fields), side_effectful=side_effectful)  # type: ignore[arg-type]
    assert output is None or verdict is LedgerVerdict.SUCCEEDED
    return verdict


async def entry(ledger: ActionLedger, key: str | None = None) -> LedgerEntry:
    found = await ledger.get(TENANT, "r1", key or action_request().idempotency_key)
    assert found is not None
    return found


async def test_a_first_attempt_is_fresh_and_on_record(ledger: ActionLedger) -> None:
    assert await begun(ledger, input={"to": "a", "apiKey": "k", "auth": {"$secret": "MAIL"}}) is LedgerVerdict.FRESH
    found = await entry(ledger)
    assert (found.state, found.attempts, found.action_id, found.run_id) == ("STARTED", 1, "mail.send", "r1")
    assert found.input == {"to": "a", "apiKey": "[REDACTED]", "auth": "[SECRET:REDACTED]"}


@pytest.mark.parametrize("output", [None, [], {}, {"n": 2**60, "f": 1.5}, "text", False, 0])
async def test_a_succeeded_action_answers_from_the_ledger(ledger: ActionLedger, output: object) -> None:
    await begun(ledger)
    await ledger.succeed(action_request(), output)
    verdict, recorded = await ledger.begin(action_request(), side_effectful=True)
    assert (verdict, recorded) == (LedgerVerdict.SUCCEEDED, output)


async def test_a_failed_action_runs_again(ledger: ActionLedger) -> None:
    await begun(ledger)
    await ledger.fail(action_request(), FAILURE)
    found = await entry(ledger)
    assert (found.state, found.failure) == ("FAILED", FAILURE)
    assert await begun(ledger) is LedgerVerdict.FRESH
    assert (await entry(ledger)).attempts == 2


async def test_a_side_effectful_action_found_started_is_unknown(ledger: ActionLedger) -> None:
    await begun(ledger)
    assert await begun(ledger) is LedgerVerdict.UNKNOWN
    assert (await entry(ledger)).state == "UNKNOWN"
    await ledger.succeed(action_request(), "recovered")
    assert (await ledger.begin(action_request(), side_effectful=True))[1] == "recovered"


async def test_an_action_without_side_effects_just_runs_again(ledger: ActionLedger) -> None:
    await begun(ledger, side_effectful=False)
    assert await begun(ledger, side_effectful=False) is LedgerVerdict.FRESH
    assert (await entry(ledger)).state == "STARTED"


async def test_a_failed_recovery_leaves_the_first_attempt_unknown(ledger: ActionLedger) -> None:
    await begun(ledger)
    await begun(ledger)
    await ledger.fail(action_request(), FAILURE)
    found = await entry(ledger)
    assert (found.state, found.failure) == ("UNKNOWN", FAILURE)
    assert await begun(ledger) is LedgerVerdict.UNKNOWN


async def test_an_attempt_given_up_is_unknown_to_the_next(ledger: ActionLedger) -> None:
    await begun(ledger)
    await ledger.unknown(action_request())
    assert await begun(ledger) is LedgerVerdict.UNKNOWN


async def test_the_first_success_stands(ledger: ActionLedger) -> None:
    await begun(ledger)
    await begun(ledger)
    assert await ledger.succeed(action_request(), {"from": "late first attempt"}) == {"from": "late first attempt"}
    assert await ledger.succeed(action_request(), {"from": "second"}) == {"from": "late first attempt"}
    await ledger.fail(action_request(), FAILURE)
    await ledger.unknown(action_request())
    found = await entry(ledger)
    assert (found.state, found.output, found.failure) == ("SUCCEEDED", {"from": "late first attempt"}, None)


async def test_a_success_is_recorded_though_the_start_was_lost(ledger: ActionLedger) -> None:
    assert await ledger.succeed(action_request(), 1) == 1
    assert (await entry(ledger)).state == "SUCCEEDED"


async def test_an_attempt_that_nobody_announced_is_recorded_whole(ledger: ActionLedger) -> None:
    assert await ledger.succeed(action_request(input={"apiKey": "k", "n": 1}), {"n": 2}, begun=False) == {"n": 2}
    found = await entry(ledger)
    assert (found.state, found.attempts, found.input, found.output) == (
        "SUCCEEDED",
        1,
        {"apiKey": "[REDACTED]", "n": 1},
        {"n": 2},
    )
    assert found.ended_at == found.started_at
    assert await ledger.succeed(action_request(), "later", begun=False) == {"n": 2}


async def test_unannounced_attempts_are_counted(ledger: ActionLedger) -> None:
    for _ in range(2):
        await ledger.fail(action_request(), FAILURE, begun=False)
    found = await entry(ledger)
    assert (found.state, found.attempts, found.failure) == ("FAILED", 2, FAILURE)
    await ledger.succeed(action_request(), 1, begun=False)
    found = await entry(ledger)
    assert (found.state, found.attempts, found.failure) == ("SUCCEEDED", 3, None)


async def test_one_key_for_two_actions_is_refused(ledger: ActionLedger) -> None:
    await begun(ledger, key=AUTHORED)
    with pytest.raises(ConflictError, match=r"used by action 'mail.send'") as refused:
        await begun(ledger, key=AUTHORED, action_id="sms.send")
    failure = refused.value.to_failure()
    assert (failure.category, failure.code) == (Category.ACTION, "IDEMPOTENCY_KEY_REUSED")


async def test_an_authored_key_is_one_for_all_runs_of_its_tenant(ledger: ActionLedger) -> None:
    await begun(ledger, key=AUTHORED)
    await ledger.succeed(action_request(AUTHORED), "sent")
    assert await begun(ledger, key=AUTHORED, run_id="r2") is LedgerVerdict.SUCCEEDED
    assert await ledger.of_run(TENANT, "r1") == ()


async def test_an_authored_key_is_kept_for_its_own_time(redis_client: Redis) -> None:
    ledger = ActionLedger(redis_client, authored_key_retention=timedelta(hours=2))
    for key in (AUTHORED, action_request().idempotency_key):
        await ledger.begin(action_request(key), side_effectful=True)
        await ledger.succeed(action_request(key), None)
    lifetimes = {key: await redis_client.pttl(key) for key in await redis_client.keys("*ledger*")}
    (authored,) = (left for key, left in lifetimes.items() if "run:" not in key)
    (derived,) = (left for key, left in lifetimes.items() if "run:" in key)
    assert 7_000_000 < authored <= 7_200_000
    assert derived == -1


async def test_the_ledger_of_a_run_lists_its_actions_in_order(redis_client: Redis) -> None:
    clock = HandClock()
    ledger = ActionLedger(redis_client, clock=clock)
    for name in ("b", "a"):
        await ledger.begin(action_request(f"acme:r1:{name}"), side_effectful=False)
        clock.advance(seconds=1)
    await ledger.succeed(action_request("acme:r1:b"), {"ok": True})
    found = await ledger.of_run(TENANT, "r1")
    assert [(each.idempotency_key, each.state, each.output) for each in found] == [
        ("acme:r1:b", "SUCCEEDED", {"ok": True}),
        ("acme:r1:a", "STARTED", None),
    ]


def told(state: Literal["STARTED", "SUCCEEDED", "FAILED", "UNKNOWN"], **fields: Any) -> LedgerEntry:
    request = action_request()
    known: dict[str, Any] = {
        "idempotency_key": request.idempotency_key,
        "action_id": request.action_id,
        "version": request.version,
        "run_id": "r1",
        "step_path": request.context.step_path,
        "attempts": 1,
        "started_at": AT,
    }
    return LedgerEntry(state=state, **{**known, **fields})


@pytest.mark.parametrize(
    "entry_told",
    [
        told("SUCCEEDED", input={"to": "a"}, output=None, ended_at=AT, attempts=2),
        told("SUCCEEDED", output={"n": 2**60, "f": 1.5}, ended_at=AT),
        told("FAILED", failure=FAILURE, ended_at=AT),
        told("UNKNOWN"),
        told("STARTED"),
    ],
    ids=lambda entry_told: entry_told.state,
)
async def test_an_entry_that_is_put_back_reads_as_it_was(ledger: ActionLedger, entry_told: LedgerEntry) -> None:
    assert await ledger.restore(TENANT, entry_told)
    assert await entry(ledger) == entry_told
    assert not await ledger.restore(TENANT, entry_told)


async def test_what_is_put_back_counts_for_the_next_attempt(ledger: ActionLedger) -> None:
    await ledger.restore(TENANT, told("STARTED"))
    assert await begun(ledger) is LedgerVerdict.UNKNOWN
    await ledger.restore(TENANT, told("SUCCEEDED", output=7))
    assert await ledger.begin(action_request(), side_effectful=True) == (LedgerVerdict.SUCCEEDED, 7)


async def test_putting_back_takes_nothing_that_stands(ledger: ActionLedger) -> None:
    await begun(ledger)
    for older in ("STARTED", "FAILED", "UNKNOWN"):
        assert not await ledger.restore(TENANT, told(older, failure=FAILURE))
    await ledger.succeed(action_request(), 1)
    assert not await ledger.restore(TENANT, told("SUCCEEDED", output=2))
    assert (await entry(ledger)).output == 1
    assert not await ledger.restore(TENANT, told("SUCCEEDED", output=2, action_id="mail.other"))


async def test_an_authored_key_is_put_back_for_what_is_left_of_its_time(redis_client: Redis) -> None:
    clock = HandClock()
    ledger = ActionLedger(redis_client, clock=clock, authored_key_retention=timedelta(hours=2))
    at = iso(clock() - timedelta(hours=1))
    answered = told("SUCCEEDED", idempotency_key=AUTHORED, output=1, started_at=at, ended_at=at)
    assert await ledger.restore(TENANT, answered)
    [key] = [key async for key in redis_client.scan_iter("wf:*:ledger:*")]
    assert 0 < await redis_client.pttl(key) <= 3_600_000
    await redis_client.delete(key)
    late = ActionLedger(redis_client, clock=clock, authored_key_retention=timedelta(minutes=59))
    assert not await late.restore(TENANT, answered)
