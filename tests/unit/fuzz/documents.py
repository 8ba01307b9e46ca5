"""Random definitions, right and wrong, and random values no definition should hold."""

import json
import marshal
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.unit.core.builders import document

EXPRESSIONS: Final = (
    "payload",
    "payload.count",
    "payload.lines",
    "vars.a",
    "a",
    "item.price",
    "index > 0",
    "isFirst",
    "true",
    "false",
    "[1, 2, 3]",
    "[]",
    "coalesce(a, 0)",
    "append(coalesce(list, []), index)",
    "nowIso()",
    "error.category",
    "event.payload",
    "childRun.vars",
    "1 / 0",
    "nothing.here",
    "",
    " ",
    "((",
    "$eval('1')",
    "function($x){$x}",
    "$secret",
    "\ud800",
    "(" * 300,
)
_TYPES: Final = (
    "state.set",
    "transform.assign",
    "action.call",
    "event.wait",
    "time.wait",
    "human.task",
    "control.if",
    "control.forEach",
    "control.tryCatch",
    "control.callWorkflow",
    "control.return",
    "email.parseBody",
    "email.renderCommentBlocks",
)
_KEYS: Final = (
    *("id", "type", "name", "config", "retry", "onError", "steps", "then", "else", "body", "try", "catch", "version"),
    *(
        "$expr",
        "$secret",
        "__proto__",
        "constructor",
        "assign",
        "filters",
        "trigger",
        "items",
        "itemVar",
        "concurrency",
    ),
    *("condition", "timeoutMs", "saveAs", "inputMapping", "payloadSchemaRef", "", "\x00", "é" * 50, "x" * 5_000),
)
_PATHS: Final = ("a", "vars.b", "vars.deep.er", "payload.count", "/lines/0/price", "meta.m", "error.note", "list")
_ODD: Final[tuple[Callable[[random.Random], Any], ...]] = (
    lambda rng: None,
    lambda rng: rng.random() < 0.5,
    lambda rng: rng.choice((0, -1, 1, 2**31, 2**53, 2**63, 10**400, -(10**400))),
    lambda rng: rng.choice((0.5, -0.0, 1e308, float("nan"), float("inf"), float("-inf"))),
    lambda rng: rng.choice(("", " ", "x", "\ud800", "\x00", "\u202e", "é" * 9, "y" * 20_000, "2030-01-31T09:00:00Z")),
    lambda rng: rng.choice(_TYPES),
    lambda rng: {"$expr": rng.choice(EXPRESSIONS)},
    lambda rng: {"$expr": 5},
    lambda rng: {"$expr": "a", "more": 1},
    lambda rng: {"$secret": rng.choice(("API_KEY", "NONE", "../x", ""))},
    lambda rng: [],
    lambda rng: {},
    lambda rng: [{}],
    lambda rng: {rng.choice(_KEYS): rng.choice(_KEYS)},
    lambda rng: json.loads("[" * (depth := rng.choice((5, 190, 210, 900))) + "]" * depth),
    lambda rng: {str(number): number for number in range(rng.choice((3, 300)))},
)
_WRITTEN: Final = tuple(
    json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[3] / "examples").glob("*.json"))
    if ".run." not in path.name
)


def odd(rng: random.Random) -> Any:
    """A value of any kind, often none that belongs where it is put."""
    return rng.choice(_ODD)(rng)


def right(rng: random.Random) -> dict[str, Any]:
    """A definition that reads; whether it may be published is another matter."""
    if rng.random() < 0.2:
        return dict(_copied(rng.choice(_WRITTEN)))
    steps = _block(rng, depth=0)
    _number(steps, iter(range(10_000)))
    return document(*steps)


def wrong(rng: random.Random) -> Any:
    """A definition in which a few things were exchanged, removed, added or moved; now and then no definition at all."""
    if rng.random() < 0.02:
        return odd(rng)
    data: Any = right(rng)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        data = _changed(rng, data)
    return data


def _changed(rng: random.Random, data: Any) -> Any:
    places = list(_places(data))
    if not places:
        return odd(rng)
    holder, key = rng.choice(places)
    match rng.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice(_KEYS)] = odd(rng)
        case 2 if isinstance(holder, list):
            holder.insert(key, _copied(holder[key]))
        case 3:
            other, place = rng.choice(places)
            if other is not holder:
                holder[key] = _copied(other[place])
        case 4 if isinstance(holder, dict):
            holder[rng.choice(_KEYS)] = holder.pop(key)
        case _:
            holder[key] = odd(rng)
    return data


def _copied(value: Any) -> Any:
    """A deep copy; unlike ``copy`` it takes any depth in its stride."""
    return marshal.loads(marshal.dumps(value))


def _places(data: Any) -> Any:
    todo = [data]
    while todo:
        holder = todo.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ():
            yield holder, key
            todo.append(holder[key])


def _number(steps: list[dict[str, Any]], numbers: Any) -> None:
    for step in steps:
        step["id"] = f"s{next(numbers)}"
        for block in ("then", "else", "body", "try", "catch"):
            _number(step.get(block, []), numbers)


def _block(rng: random.Random, depth: int) -> list[dict[str, Any]]:
    return [_step(rng, depth) for _ in range(rng.choice((1, 1, 2, 3)))]


def _value(rng: random.Random) -> Any:
    return rng.choice(({"$expr": rng.choice(EXPRESSIONS[:20])}, 1, "text", None, [1, {"k": {"$expr": "a"}}]))


def _assign(rng: random.Random) -> dict[str, Any]:
    return {rng.choice(_PATHS): _value(rng) for _ in range(rng.randrange(3))}


def _step(rng: random.Random, depth: int) -> dict[str, Any]:
    kind = rng.choice(_TYPES if depth < 3 else [name for name in _TYPES if "control" not in name])
    step: dict[str, Any] = {"type": kind, **_FIELDS[kind](rng, depth)}
    if "control" not in kind or kind == "control.callWorkflow":
        if rng.random() < 0.3:
            step["retry"] = {"maxAttempts": rng.choice((1, 2, 3)), "backoffMs": rng.choice((0, 100))}
        if rng.random() < 0.3:
            step["onError"] = {"policy": rng.choice(("fail", "continue"))}
    return step


def _config(**fields: Callable[[random.Random], Any]) -> Callable[[random.Random, int], dict[str, Any]]:
    return lambda rng, depth: {"config": {name: field(rng) for name, field in fields.items()}}


def _expression(rng: random.Random) -> dict[str, str]:
    return {"$expr": rng.choice(EXPRESSIONS[:20])}


_FIELDS: Final[dict[str, Callable[[random.Random, int], dict[str, Any]]]] = {
    "state.set": _config(state=lambda rng: "OPEN"),
    "transform.assign": _config(assign=_assign),
    "action.call": _config(
        actionId=lambda rng: rng.choice(("transform.trim_text", "store.get", "nobody.knows")),
        version=lambda rng: rng.choice((1, 1, 2)),
        inputMapping=lambda rng: {"text": _value(rng)},
        saveAs=lambda rng: rng.choice(_PATHS),
    ),
    "event.wait": _config(
        eventName=lambda rng: "REPLIED",
        correlationKey=_value,
        filters=lambda rng: [{"path": "a.b", "op": rng.choice(("=", "!=")), "value": 1}] * rng.randrange(2),
        assign=_assign,
    ),
    "time.wait": _config(mode=lambda rng: "duration", durationMs=lambda rng: rng.choice((0, 50)), assign=_assign),
    "human.task": _config(taskType=lambda rng: "approval", title=_value, assign=_assign),
    "control.if": lambda rng, depth: {
        "condition": _expression(rng),
        "then": _block(rng, depth + 1),
        "else": _block(rng, depth + 1),
    },
    "control.forEach": lambda rng, depth: {
        "items": _expression(rng),
        "itemVar": rng.choice("xyz"),
        "body": _block(rng, depth + 1),
        "onItemError": rng.choice(("fail", "continue")),
    },
    "control.tryCatch": lambda rng, depth: {
        "try": _block(rng, depth + 1),
        "catch": _block(rng, depth + 1),
        "captureErrorAs": rng.choice("xyz"),
    },
    "control.callWorkflow": lambda rng, depth: {
        "workflowId": rng.choice(("wf", "other")),
        "workflowVersion": 1,
        "inputMapping": {"ticketId": _value(rng)},
        "outputMapping": _assign(rng),
    },
    "control.return": lambda rng, depth: {},
    "email.parseBody": _config(text=_expression),
    "email.renderCommentBlocks": _config(html=_expression),
}
