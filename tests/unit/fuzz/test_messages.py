"""Whatever reaches a process as a message: a bundle, a stream entry, a signal, an argument of the workflow, rules."""

import contextlib
import json
import random
from typing import Any, Final

from pydantic import ValidationError
from tests.unit.fuzz.documents import odd, right, wrong
from tests.unit.fuzz.rounds import rounds

from workflow_runtime.core.bundle import FORMAT, BundleError, bundle_text, parse_bundle
from workflow_runtime.core.canonical import canonical_json
from workflow_runtime.core.contract import EventSignal, QuotaResumeSignal
from workflow_runtime.core.correlation import correlation_keys, parse_rules
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.machine.effects import Filter, WaitForEvent
from workflow_runtime.store.events import MalformedEventError, parse_pairs
from workflow_worker.mailbox import Mailbox
from workflow_worker.responses import parse_response
from workflow_worker.starting import read_start

_OPERATORS: Final = ("=", "!=", "in", "not_in", "exists", "not_exists", ">", "<=", "contains", "ends_with")
_FIELDS: Final = ("event_id", "event_type", "event_name", "tenant", "timestamp", "payload_json", "more")
_TEXTS: Final = ("", "x", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "2026-01-31T09:30:00Z", "a{b}", "\x00", "k" * 600)
_JSON: Final = ('{"a": NaN}', '{"a": 1, "a": 2}', "1e999", '"\\ud800"', "9" * 5_000, "[" * 90_000, "{", "\ufeff{}")
_METADATA: Final[dict[str, Any]] = {
    **{"name": "n", "description": None, "payloadSchemaRef": "r", "payloadSchemaMode": None, "trigger": None},
    **{"pinnedPayloadSchemaRef": None, "isSystem": False, "isVisible": True, "isPaused": False},
    **{"concurrencyLimit": None, "autoPauseOnFailure": False, "failureRateThreshold": 0.5, "failureRateMinRuns": 3},
    "retentionPolicyOverride": {"days": 3},
}


def message(rng: random.Random, *names: str) -> Any:
    """An object of these fields, each right, wrong or missing; now and then anything else."""
    if rng.random() < 0.1:
        return odd(rng)
    found = {name: rng.choice((_text, odd))(rng) for name in names if rng.random() < 0.9}
    return found | ({"surplus": 1} if rng.random() < 0.1 else {})


def _text(rng: random.Random) -> str:
    return rng.choice(_TEXTS)


@rounds(6_000)
def test_a_signal_is_taken_or_refused_and_never_spoils_what_the_run_remembers(rng: random.Random) -> None:
    mailbox = Mailbox()
    for _ in range(3):
        with contextlib.suppress(ValidationError):
            raw = message(rng, "eventId", "eventName", "correlationKey", "payload", "receivedAt")
            mailbox.receive(EventSignal.model_validate(raw))
        with contextlib.suppress(ValidationError):
            sound = {"eventId": "e", "eventName": "x", "payload": {"a": {"b": odd(rng)}}}
            mailbox.receive(EventSignal.model_validate(sound))
        with contextlib.suppress(ValidationError):
            mailbox.resume(QuotaResumeSignal.model_validate(message(rng, "waitId", "reason")))
        with contextlib.suppress(ValidationFailure):
            mailbox.respond(parse_response(message(rng, "taskId", "eventName", "payload")))
    item = Filter(path=rng.choice(("a", "a.b", "$.a.b", ".")), op=rng.choice(_OPERATORS), value=odd(rng))
    wait = WaitForEvent(wait_id="w", step_path="p", event_name="x", correlation_key=None, filters=(item,))
    mailbox.open(wait)
    found = mailbox.match(wait)
    assert found is None or found.event_name == "x"
    read_start(message(rng, "runId", "tenantId", "workflowId", "workflowVersion", "checkpoint"))


@rounds(8_000)
def test_a_stream_entry_is_an_event_or_is_refused_with_the_name_of_a_field(rng: random.Random) -> None:
    pairs = []
    for name in rng.sample(_FIELDS, rng.randrange(len(_FIELDS) + 1)) * rng.choice((1, 1, 1, 2)):
        value = rng.choice((*_TEXTS, *_JSON)) if name == "payload_json" else _text(rng)
        raw = value.encode() if rng.random() < 0.95 else rng.randbytes(8)
        pairs.append((name.encode() if rng.random() < 0.97 else rng.randbytes(4), raw))
    with contextlib.suppress(MalformedEventError):
        event = parse_pairs(pairs)
        correlation_keys(event.event_name, event.payload, event.explicit_key, {"*": ["a", "a.b.c", ""]})


@rounds(1_000)
def test_a_bundle_is_read_or_refused_and_read_again_is_the_same(rng: random.Random) -> None:
    workflow = {
        "key": "k",
        "metadata": {**_METADATA, rng.choice(tuple(_METADATA)): odd(rng)} if rng.random() < 0.3 else _METADATA,
        "dependencies": {"actions": [], "nodeTypes": [], "schemaRefs": []},
        "draft": {"draftVersion": 1, "definition": rng.choice((wrong, right))(rng)},
        "publishedVersions": [{"version": 1, "definition": right(rng), "payloadSchemaJson": odd(rng)}],
    }
    workflows = [workflow, odd(rng)][: rng.choice((0, 1, 1, 1, 1, 2))]
    bundle = {"format": FORMAT, "formatVersion": 1, "exportedAt": "x", "workflows": workflows}
    with contextlib.suppress(BundleError):
        text = bundle_text(parse_bundle(json.dumps(bundle)))
        assert bundle_text(parse_bundle(text)) == text


@rounds(4_000)
def test_rules_and_values_are_canonical_or_refused(rng: random.Random) -> None:
    value = wrong(rng)
    with contextlib.suppress(ValidationFailure):
        text = canonical_json(value)
        assert canonical_json(json.loads(text)) == text
        correlation_keys("x", json.loads(text), None, {"*": ["steps", "id", "a.b"]})
    with contextlib.suppress(ValidationFailure):
        parse_rules(value)
