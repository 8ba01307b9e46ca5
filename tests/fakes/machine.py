"""Drives the frame machine without Temporal: a clock that stands still and a shell that answers from a script."""

import json
import random
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from workflow_runtime.core.canonical import definition_hash
from workflow_runtime.core.contract import RUNTIME_SEMANTICS_VERSION
from workflow_runtime.core.definition import Definition, parse_definition
from workflow_runtime.core.errors import Category, Failure
from workflow_runtime.core.machine import (
    CallAction,
    Cancelled,
    Clock,
    Completed,
    Effect,
    Failed,
    FailedOutcome,
    Machine,
    Outcome,
    Program,
    Project,
    RunContext,
    Sleep,
    StartChild,
    Succeeded,
    TimedOut,
    WaitForEvent,
    WaitForTask,
)
from workflow_runtime.core.projection import ProjectionRecord

START = "2026-03-31T09:00:00.000Z"
QUEUES = {"test.echo@1": "queue-a", "test.other@2": "queue-b"}

type Script = Outcome | Callable[[Any], Outcome]


class FakeClock(Clock):
    """Workflow time that moves only when a test or a timer moves it."""

    def __init__(self, now: str = START, seed: int = 7) -> None:
        self._now = datetime.fromisoformat(now)
        self._random = random.Random(seed)
        self.chance: float | None = None

    def now_iso(self) -> str:
        return self._now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def random(self) -> float:
        return self._random.random() if self.chance is None else self.chance

    def advance(self, **delta: float) -> None:
        """Move time on, with the arguments of ``timedelta``."""
        self._now += timedelta(**delta)

    def set(self, now: str) -> None:
        """Move time to an instant, unless it is past."""
        self._now = max(self._now, datetime.fromisoformat(now))


def define(*steps: dict[str, Any]) -> Definition:
    """A definition of these steps. Fails when they are not one."""
    definition, findings = parse_definition(
        {"id": "wf", "version": 1, "name": "Workflow", "payloadSchemaRef": "payload.Empty.v1", "steps": list(steps)}
    )
    assert definition is not None, findings
    return definition


def run_context(definition: Definition, run_id: str = "run-1", tenant_id: str = "acme") -> RunContext:
    """The identity of a run of ``definition``."""
    return RunContext(
        run_id=run_id,
        workflow_id=definition.id,
        workflow_version=definition.version,
        tenant_id=tenant_id,
        definition_hash=definition_hash(definition),
        runtime_semantics_version=RUNTIME_SEMANTICS_VERSION,
    )


class DryRun:
    """One run, answered from a script.

    ``script`` holds the outcome of each effect in turn, or functions from the effect to its outcome; what it does not
    cover is answered well: actions echo their input, children their payload, timers fire, waits get an empty event.
    ``restoring`` passes the machine through a JSON checkpoint before every call.
    """

    def __init__(
        self,
        definition: Definition,
        payload: Any = None,
        script: Iterable[Script] = (),
        *,
        queues: Mapping[str, str] = QUEUES,
        restoring: bool = False,
        slice_size: int = 200,
        run_id: str = "run-1",
    ) -> None:
        self.definition = definition
        self.clock = FakeClock()
        self.effects: list[Effect] = []
        self.records: list[ProjectionRecord] = []
        self._script = list(script)
        self._restoring = restoring
        self._options: dict[str, Any] = {"action_queues": queues, "slice_size": slice_size}
        run = run_context(definition, run_id)
        self.machine = Machine.start(Program(definition), run, {} if payload is None else payload, **self._options)

    def run(self, limit: int = 10_000) -> Succeeded | Failed:
        """Drive the run to its end."""
        for _ in range(limit):
            effect = self.step()
            if isinstance(effect, Succeeded | Failed):
                return effect
            self.answer(self.outcome(effect))
        raise AssertionError(f"the run did not end within {limit} effects")

    def step(self) -> Effect:
        """Let the machine work up to its next effect."""
        self._restore()
        effect = self.machine.next(self.clock)
        self.records += self.machine.take_projections()
        self.effects.append(effect)
        return effect

    def answer(self, outcome: Outcome) -> None:
        """Answer the present effect."""
        self._restore()
        self.machine.resume(outcome, self.clock)
        self.records += self.machine.take_projections()

    def rows(self, kind: str) -> dict[str, dict[str, Any]]:
        """The rows a store would hold, by key."""
        rows: dict[str, dict[str, Any]] = {}
        for record in self.records:
            if record.kind == kind:
                rows.setdefault(record.key, {}).update(record.fields)
        return rows

    def statuses(self, kind: str) -> list[tuple[str, str]]:
        """``(key, status)`` of every record of a kind which carries a status, in order."""
        return [
            (item.key, item.fields["status"]) for item in self.records if item.kind == kind and "status" in item.fields
        ]

    def outcome(self, effect: Effect) -> Outcome:
        """The scripted outcome of an effect, or the default one."""
        if self._script and not isinstance(effect, Project):
            scripted = self._script.pop(0)
            return scripted(effect) if callable(scripted) else scripted
        if isinstance(effect, Sleep):
            self.clock.set(effect.until)
        return default_outcome(effect)

    def _restore(self) -> None:
        if self._restoring:
            checkpoint = json.loads(json.dumps(self.machine.checkpoint(), allow_nan=False))
            self.machine = Machine.restore(Program(self.definition), checkpoint, **self._options)


def default_outcome(effect: Effect) -> Outcome:
    """The outcome of an effect when all goes well."""
    match effect:
        case CallAction():
            return Completed(value=effect.input)
        case StartChild():
            return Completed(value={"payload": effect.payload, "vars": {}, "local": {}, "system": {}, "meta": {}})
        case WaitForEvent():
            return event(effect.event_name, {})
        case WaitForTask():
            return Completed(value={"eventName": None, "payload": {}})
        case _:
            return Completed()


def event(name: str, payload: Any, event_id: str = "e-1", key: str | None = None) -> Completed:
    """An event has arrived."""
    return Completed(value={"eventId": event_id, "eventName": name, "correlationKey": key, "payload": payload})


def failed(
    category: Category = Category.ACTION, message: str = "it broke", code: str | None = "BROKEN"
) -> FailedOutcome:
    """The effect has failed."""
    return FailedOutcome(failure=Failure(category=category, code=code, message=message))


CANCELLED = Cancelled()
TIMED_OUT = TimedOut()


def expr(text: str) -> dict[str, str]:
    """An expression value."""
    return {"$expr": text}


def assign(step_id: str, **values: Any) -> dict[str, Any]:
    """A ``transform.assign`` step of variables."""
    return {"id": step_id, "type": "transform.assign", "config": {"assign": values}}


def call(step_id: str, *, save_as: str | None = None, **step: Any) -> dict[str, Any]:
    """An ``action.call`` of the echo action; ``input`` is its input mapping, the rest stands on the step."""
    config: dict[str, Any] = {"actionId": "test.echo", "version": 1, "inputMapping": step.pop("input", {})}
    if save_as is not None:
        config["saveAs"] = save_as
    if "idempotencyKey" in step:
        config["idempotencyKey"] = step.pop("idempotencyKey")
    return {"id": step_id, "type": "action.call", "config": config, **step}


def wait_event(step_id: str, name: str = "reply", key: Any = "k", **config: Any) -> dict[str, Any]:
    """An ``event.wait`` step."""
    return {"id": step_id, "type": "event.wait", "config": {"eventName": name, "correlationKey": key, **config}}


def for_each(step_id: str, items: str, *body: dict[str, Any], item_var: str = "x", **step: Any) -> dict[str, Any]:
    """A ``control.forEach`` step."""
    return {
        "id": step_id,
        "type": "control.forEach",
        "items": expr(items),
        "itemVar": item_var,
        "body": list(body),
        **step,
    }


def try_catch(step_id: str, tried: list[Any], caught: list[Any], capture: str | None = None) -> dict[str, Any]:
    """A ``control.tryCatch`` step."""
    step = {"id": step_id, "type": "control.tryCatch", "try": tried, "catch": caught}
    return step if capture is None else {**step, "captureErrorAs": capture}


def branch(step_id: str, condition: str, then: list[Any], orelse: list[Any] | None = None) -> dict[str, Any]:
    """A ``control.if`` step."""
    step = {"id": step_id, "type": "control.if", "condition": expr(condition), "then": then}
    return step if orelse is None else {**step, "else": orelse}
