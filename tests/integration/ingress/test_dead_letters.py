"""Dead letters: exact redrive, drop, audit (G6), on the real Redis."""

from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.client import NEVER_DECODE
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import new_event, running, settled

from workflow_runtime.core.contract import EVENT_DEAD_LETTER_STREAM, EVENT_STREAM
from workflow_runtime.store.events import (
    DeadLetters,
    Message,
    UnknownDeadLetterError,
    publish,
)
from workflow_runtime.store.events._keys import DEAD_LETTER_AUDIT
from workflow_runtime.store.events.dead_letters import DeadLetter

pytestmark = pytest.mark.also_on_valkey

PAIRS = ((b"event_id", b"\x00\xff"), (b"event_id", b""), ("größe".encode(), b"dlq_reason"), (b"dlq_at", b"mine"))


async def raw_stream(redis: Redis) -> list[Message]:
    """Every message of the stream as bytes, repeated names included."""
    options: dict[str, Any] = {NEVER_DECODE: []}
    script = "return redis.call('XRANGE', KEYS[1], '-', '+')"
    rows = await cast(Any, redis).execute_command("EVAL", script, 1, EVENT_STREAM, **options)
    return [Message(row[0].decode(), tuple(zip(row[1][::2], row[1][1::2], strict=True))) for row in rows]


async def add(redis: Redis, source: str = "stream:1-1", pairs: Any = PAIRS) -> str:
    return await DeadLetters(redis).add(pairs, reason="because", attempts=3, source=source)


async def test_a_letter_holds_the_original_and_why_when_and_how_often(redis_client: Redis) -> None:
    letter = await DeadLetters(redis_client).show(await add(redis_client))
    assert letter.pairs == PAIRS
    assert (letter.reason, letter.attempts, letter.source) == ("because", 3, "stream:1-1")
    assert letter.at is not None
    assert letter.at.endswith("Z")
    assert letter.fields()["event_id"] == ""


async def test_a_repetition_after_a_crash_makes_no_second_letter(redis_client: Redis) -> None:
    assert await add(redis_client) == await add(redis_client)
    assert await DeadLetters(redis_client).count() == 1


async def test_redriving_puts_the_same_bytes_on_the_stream(redis_client: Redis) -> None:
    letters = DeadLetters(redis_client)
    stream_id = (await letters.redrive(await add(redis_client), actor="ann")).stream_id
    assert await raw_stream(redis_client) == [Message(stream_id, PAIRS)]
    assert await letters.count() == 0
    assert await add(redis_client), "the same message may die again"
    assert await letters.count() == 1


@hypothesis_settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(pairs=st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=60)), min_size=1, max_size=6))
async def test_redriving_is_exact_for_any_message(redis_client: Redis, pairs: list[tuple[bytes, bytes]]) -> None:
    await redis_client.delete(EVENT_STREAM)
    letters = DeadLetters(redis_client)
    stream_id = (await letters.redrive(await add(redis_client, pairs=pairs), actor="ann")).stream_id
    assert await raw_stream(redis_client) == [Message(stream_id, tuple(pairs))]


HOSTILE: dict[str, tuple[tuple[bytes, bytes], ...]] = {
    "empty values": ((b"", b""), (b"payload_json", b"")),
    "a name twice": ((b"event_id", b"a"), (b"event_id", b"a"), (b"event_id", b"b")),
    "no text": ((b"\xff\xfe", b"\x00\x80"), (b"payload_json", b'{"half": "\xed\xa0\x80"}')),
    "our own marks": ((b"dlq_reason", b"x"), (b"dlq_at", b"y"), (b"dlq_attempts", b"9"), (b"dlq_source", b"z")),
    "64 MB": ((b"payload_json", b"\x00" * 64 * 1024 * 1024),),
    "20,000 fields": tuple((b"name-%d" % number, b"value") for number in range(20_000)),
}


@pytest.mark.parametrize("pairs", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_message_is_kept_and_redriven_byte_for_byte(redis_client: Redis, pairs: Any) -> None:
    letters = DeadLetters(redis_client)
    letter_id = await add(redis_client, pairs=pairs)
    assert await add(redis_client, pairs=pairs) == letter_id
    assert (await letters.show(letter_id)).pairs == pairs
    stream_id = (await letters.redrive(letter_id, actor="ann")).stream_id
    assert await raw_stream(redis_client) == [Message(stream_id, pairs)]
    assert await letters.count() == 0


async def test_a_message_of_very_many_fields_does_not_stop_the_reading(redis_client: Redis) -> None:
    await redis_client.xadd(EVENT_STREAM, {f"name-{number}": "value" for number in range(9_000)})
    event_id = await publish(redis_client, new_event("UNHEARD"))
    async with running(redis_client, RunGatewayFake()):
        await settled(redis_client, event_id)
    [letter] = await DeadLetters(redis_client).list()
    assert len(letter.pairs) == 9_000


async def test_letters_of_a_tenant_are_found_among_many_others(redis_client: Redis) -> None:
    letters = DeadLetters(redis_client)
    for number in range(30):
        tenant = b"acme" if number % 10 == 0 else b"umbrella"
        await add(redis_client, f"stream:{number}-0", ((b"tenant", tenant), (b"n", b"%d" % number)))
    first = await letters.page(limit=2, tenant="acme")
    rest = await letters.page(limit=2, tenant="acme", before=first.next_before)
    assert [letter.fields()["n"] for letter in (*first.letters, *rest.letters)] == ["20", "10", "0"]
    assert rest.next_before is None


async def test_letters_are_listed_newest_first_page_by_page(redis_client: Redis) -> None:
    ids = [await add(redis_client, f"stream:{n}-0") for n in range(5)]
    letters = DeadLetters(redis_client)
    first = await letters.list(limit=2)
    second = await letters.list(limit=9, before=first[-1].id)
    assert [letter.id for letter in (*first, *second)] == ids[::-1]


async def test_a_letter_that_was_taken_out_is_unknown(redis_client: Redis) -> None:
    letters, letter_id = DeadLetters(redis_client), await add(redis_client)
    await letters.drop(letter_id, actor="ann")
    for gone in (letter_id, "nonsense", "+"):
        for attempt in (letters.show(gone), letters.drop(gone, actor="x"), letters.redrive(gone, actor="x")):
            with pytest.raises(UnknownDeadLetterError, match="does not exist"):
                await attempt


async def test_redrives_and_drops_are_written_down(redis_client: Redis) -> None:
    letters = DeadLetters(redis_client)
    first, second = await add(redis_client, "stream:1-0"), await add(redis_client, "stream:2-0")
    stream_id = (await letters.redrive(first, actor="ann", why="mapping fixed")).stream_id
    await letters.drop(second, actor="bob")
    entries = await letters.audit()
    assert [(entry.letter_id, entry.action, entry.actor, entry.why, entry.stream_id) for entry in entries] == [
        (second, "drop", "bob", "", None),
        (first, "redrive", "ann", "mapping fixed", stream_id),
    ]
    assert [(entry.reason, entry.attempts) for entry in entries] == [("because", 3)] * 2


async def test_a_letter_that_was_taken_out_says_by_whom_and_why(redis_client: Redis) -> None:
    letters, letter_id = DeadLetters(redis_client), await add(redis_client)
    await letters.redrive(letter_id, actor="ann", why="mapping fixed")
    with pytest.raises(UnknownDeadLetterError, match=r"it was redriven by ann at \S+Z \(mapping fixed\)"):
        await letters.show(letter_id)


async def test_an_audit_of_the_earlier_release_is_readable(redis_client: Redis) -> None:
    row = {
        "letter": "1-0",
        "action": "drop",
        "actor": "ann",
        "at": "2026-01-01T00:00:00.000Z",
        "event": "",
        "reason": "r",
    }
    await redis_client.xadd(DEAD_LETTER_AUDIT, cast(Any, row))
    [entry] = await DeadLetters(redis_client).audit()
    assert (entry.letter_id, entry.event_id, entry.tenant, entry.why, entry.stream_id) == ("1-0", None, None, "", None)


async def test_a_letter_tells_what_was_done_with_earlier_ones_of_its_event(redis_client: Redis) -> None:
    letters, event = DeadLetters(redis_client), new_event("E").incoming()
    pairs = [(name.encode(), value.encode()) for name, value in event.fields.items()]
    for number in range(3):
        letter_id = await add(redis_client, f"stream:{number}-0", pairs)
        if number < 2:
            await letters.redrive(letter_id, actor=f"person {number}")
    await letters.redrive(await add(redis_client, "stream:9-0"), actor="with another event")
    history = await letters.history(await letters.show(letter_id))
    assert [(entry.action, entry.actor) for entry in history] == [("redrive", "person 1"), ("redrive", "person 0")]


async def test_a_letter_of_the_earlier_runtime_is_readable_and_redrivable(redis_client: Redis) -> None:
    letters = DeadLetters(redis_client)
    fields = {"event_id": "x", "tenant": "acme", "dlq_reason": "parse", "dlq_at": "2024-05-01T00:00:00.000Z"}
    letter_id = await redis_client.xadd(EVENT_DEAD_LETTER_STREAM, cast(Any, fields))
    assert isinstance(letter_id, str)
    pairs = ((b"event_id", b"x"), (b"tenant", b"acme"))
    assert await letters.show(letter_id) == DeadLetter(letter_id, pairs, "parse", fields["dlq_at"], 0, "")
    await letters.redrive(letter_id, actor="ann")
    assert [message.pairs for message in await raw_stream(redis_client)] == [pairs]
