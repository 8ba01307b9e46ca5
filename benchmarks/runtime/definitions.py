"""The authored workflows that are measured; `handwritten` holds the same in Python. Pure data; host process only."""

from typing import Any, Final

from workflow_runtime.core.contract import AUTHORED_QUEUE

TENANT: Final = "bench"
PAYLOAD: Final = {"text": "  Printer on fire  ", "amount": 7}
ACTIONS: Final = 20
"""Actions of one run."""
LOOP: Final = 500
"""Items of the loop of pure steps; each is an if and an assign."""

TRIM, SET, NONE, LOOPS, WAITS = "trim", "set", "none", "loops", "waits"

ACTION_QUEUES: Final = {f"{action}@1": AUTHORED_QUEUE for action in ("transform.trim_text", "store.set")}


def _call(number: int, action: str, **given: str) -> dict[str, Any]:
    mapping = {name: {"$expr": expression} for name, expression in given.items()}
    config = {"actionId": action, "version": 1, "inputMapping": mapping, "saveAs": f"vars.answer{number}"}
    return {"id": f"call-{number}", "type": "action.call", "config": config}


def _trim(number: int) -> dict[str, Any]:
    return _call(number, "transform.trim_text", text="payload.text")


def _set(number: int) -> dict[str, Any]:
    return _call(number, "store.set", namespace="'bench'", key="system.runId", value="payload")


def _assign(step_id: str, name: str, expression: str) -> dict[str, Any]:
    return {"id": step_id, "type": "transform.assign", "config": {"assign": {name: {"$expr": expression}}}}


_LOOP: Final[dict[str, Any]] = {
    "id": "loop",
    "type": "control.forEach",
    "items": {"$expr": str(list(range(LOOP)))},
    "itemVar": "n",
    "body": [
        {
            "id": "if",
            "type": "control.if",
            "condition": {"$expr": "n % 2 = 0 and payload.amount > 3"},
            "then": [_assign("even", "last", "payload.amount + n")],
            "else": [_assign("odd", "last", "payload.amount - n")],
        }
    ],
}
_WAIT: Final[dict[str, Any]] = {
    "id": "wait",
    "type": "event.wait",
    "config": {"eventName": "PAID", "correlationKey": {"$expr": "system.runId"}},
}
_STEPS: Final[dict[str, list[dict[str, Any]]]] = {
    TRIM: [_trim(number) for number in range(ACTIONS)],
    SET: [_set(number) for number in range(ACTIONS)],
    NONE: [_assign("only", "last", "1")],
    LOOPS: [_LOOP],
    WAITS: [_WAIT, _trim(0)],
}

DEFINITIONS: Final = {
    kind: {"id": kind, "version": 1, "name": kind, "payloadSchemaRef": "payload.Bench.v1", "steps": steps}
    for kind, steps in _STEPS.items()
}
"""By workflow id."""
