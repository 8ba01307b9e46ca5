"""Random definitions and random outcomes for the property tests of the machine."""

import itertools
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from tests.fakes.machine import event

from workflow_runtime.core.errors import Category, Failure
from workflow_runtime.core.machine import (
    CallAction,
    Cancelled,
    Completed,
    Effect,
    FailedOutcome,
    Outcome,
    StartChild,
    TimedOut,
    WaitForEvent,
    WaitForTask,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-2, 2) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcde"), inner, max_size=3),
    max_leaves=6,
)
EXPRESSIONS = st.sampled_from(
    [
        "payload",
        "payload.n",
        "vars.a",
        "a",
        "x",
        "item",
        "local",
        "index",
        "error.category",
        "true",
        "false",
        "index > 0",
        "isFirst",
        "[1, 2]",
        "[]",
        "payload.list",
        "append(coalesce(a, []), index)",
        "coalesce(a, 0)",
        "childRun.payload",
        "event",
        "nowIso()",
        "1 / 0",
        "nothing.here",
        "{'k': a}",
        "system.runId",
    ]
).map(lambda text: {"$expr": text})
CONDITIONS = st.sampled_from(["true", "false", "isFirst", "index > 0", "payload.flag", "a", "1"]).map(
    lambda text: {"$expr": text}
)
ITEMS = st.sampled_from(["[1, 2]", "[1, 2, 3]", "[]", "payload.list", "a", "payload"]).map(lambda text: {"$expr": text})
VALUES = EXPRESSIONS | JSON
PATHS = st.sampled_from(["a", "vars.b", "vars.deep.er", "payload.n", "payload.list", "/k/l", "meta.m", "error.note"])
ASSIGNMENTS = st.dictionaries(PATHS, VALUES, max_size=3)
NAMES = st.sampled_from(["x", "y", "a"])
CATEGORIES = st.sampled_from(sorted(Category))


@st.composite
def _options(draw: st.DrawFn) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if draw(st.booleans()):
        options["retry"] = {
            "maxAttempts": draw(st.integers(1, 3)),
            "backoffMs": draw(st.sampled_from([0, 0, 100])),
            "jitter": draw(st.booleans()),
        }
        if draw(st.booleans()):
            options["retry"]["retryOn"] = sorted(draw(st.sets(CATEGORIES, max_size=4)))
    if draw(st.booleans()):
        options["onError"] = {"policy": draw(st.sampled_from(["fail", "continue"]))}
    return options


def _node(kind: str, **config: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    step = st.fixed_dictionaries({"type": st.just(kind), "config": st.fixed_dictionaries(config)})
    return st.tuples(step, _options()).map(lambda pair: {**pair[0], **pair[1]})


def _without_none(step: dict[str, Any]) -> dict[str, Any]:
    optional = {"saveAs", "timeoutMs"}
    config = {key: value for key, value in step["config"].items() if value is not None or key not in optional}
    return {**step, "config": config}


ACTIONS = _node(
    "action.call",
    actionId=st.just("test.echo"),
    version=st.sampled_from([1, 1, 1, 9]),
    inputMapping=st.dictionaries(st.sampled_from("pq"), VALUES, max_size=2),
    saveAs=PATHS | st.none(),
).map(_without_none)
WAITS = _node(
    "event.wait",
    eventName=st.just("reply"),
    correlationKey=VALUES,
    timeoutMs=st.none() | st.just(1000),
    assign=ASSIGNMENTS,
).map(_without_none)
TIMERS = _node("time.wait", mode=st.just("duration"), durationMs=st.sampled_from([0, 50]), assign=ASSIGNMENTS)
TASKS = _node("human.task", taskType=st.just("approval"), title=VALUES, assign=ASSIGNMENTS)
STATES = _node("state.set", state=st.sampled_from(["OPEN", "DONE"]))
ASSIGNS = _node("transform.assign", assign=ASSIGNMENTS)
CHILD_STEPS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "type": st.just("control.callWorkflow"),
        "workflowId": st.just("other"),
        "workflowVersion": st.just(1),
        "inputMapping": st.dictionaries(st.sampled_from("pq"), VALUES, max_size=2),
        "outputMapping": ASSIGNMENTS,
    }
)
CHILDREN = st.tuples(CHILD_STEPS, _options()).map(lambda pair: {**pair[0], **pair[1]})
EMAILS = _node("email.parseBody", text=EXPRESSIONS) | _node("email.renderCommentBlocks", html=EXPRESSIONS)
RETURN = st.just({"type": "control.return"})
LEAVES = st.one_of(ASSIGNS, ACTIONS, WAITS, TIMERS, TASKS, STATES, CHILDREN, EMAILS, RETURN)


def _blocks(inner: st.SearchStrategy[list[dict[str, Any]]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    steps = st.one_of(
        LEAVES,
        st.fixed_dictionaries({"type": st.just("control.if"), "condition": CONDITIONS, "then": inner, "else": inner}),
        st.fixed_dictionaries(
            {
                "type": st.just("control.forEach"),
                "items": ITEMS,
                "itemVar": NAMES,
                "body": inner,
                "onItemError": st.sampled_from(["fail", "continue"]),
            }
        ),
        st.fixed_dictionaries(
            {"type": st.just("control.tryCatch"), "try": inner, "catch": inner, "captureErrorAs": NAMES}
        ),
    )
    return st.lists(steps, min_size=1, max_size=3)


STEPS = st.recursive(st.lists(LEAVES, min_size=1, max_size=2), _blocks, max_leaves=6)
PAYLOADS = st.fixed_dictionaries({"n": st.integers(-3, 3), "list": st.lists(JSON, max_size=3), "flag": st.booleans()})


def numbered(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps with a unique id each."""
    numbers = itertools.count(1)

    def named(step: dict[str, Any]) -> dict[str, Any]:
        blocks = {key: visit(step[key]) for key in ("then", "else", "body", "try", "catch") if key in step}
        return step | blocks | {"id": f"s{next(numbers)}"}

    def visit(block: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [named(step) for step in block]

    return visit(steps)


def _completed(effect: Effect, value: Any) -> Outcome:
    match effect:
        case CallAction():
            return Completed(value=value)
        case StartChild():
            return Completed(value={"payload": value, "vars": {}, "local": {}, "system": {}, "meta": {}})
        case WaitForEvent():
            return event(effect.event_name, value)
        case WaitForTask():
            return Completed(value={"eventName": None, "payload": value})
        case _:
            return Completed()


def _outcome(value: Any, kind: int, category: Category) -> Callable[[Effect], Outcome]:
    def answer(effect: Effect) -> Outcome:
        if kind == 0:
            return FailedOutcome(failure=Failure(category=category, code="C", message="m", details=value))
        if kind == 1:
            return TimedOut()
        if kind == 2:
            return Cancelled()
        return _completed(effect, value)

    return answer


SCRIPTS = st.lists(
    st.builds(_outcome, JSON, st.sampled_from([0, 0, 0, 1, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3]), CATEGORIES), max_size=12
)
