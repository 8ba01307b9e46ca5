"""What a step sees while it runs: scopes, local scope, identity and time. Pure; called from workflow code."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflow_runtime.core.assign import assign_path
from workflow_runtime.core.canonical import MAX_VALUE_DEPTH, is_deeper
from workflow_runtime.core.errors import ExpressionFailure, ValidationFailure
from workflow_runtime.core.expressions import Effort, resolve_value
from workflow_runtime.core.machine.frames import StepFrame
from workflow_runtime.core.machine.run import Clock, RunContext
from workflow_runtime.core.machine.scopes import Scopes

_NAMESPACE: Final = uuid.UUID("6f0c7a0e-2f0b-5e8e-9d0a-3a9c1b7d52f4")
"""Namespace of every id a run derives; a constant, because derived ids must never change."""


@dataclass(slots=True)
class StepContext:
    """One attempt of one step."""

    run: RunContext
    scopes: Scopes
    local: Mapping[str, Any]
    frame: StepFrame
    clock: Clock
    action_queues: Mapping[str, str]
    effort: Effort

    @property
    def now(self) -> str:
        """Workflow time, ISO 8601 UTC."""
        return self.clock.now_iso()

    def value(self, authored: Any, extra: Mapping[str, Any] | None = None, scopes: Scopes | None = None) -> Any:
        """An authored value with its expressions evaluated.

        ``extra`` names are visible besides the scopes; ``scopes`` replaces the step's own, for a step that builds on
        what it has just assigned. Raises ``ExpressionFailure``.
        """
        names = expression_names(scopes or self.scopes, self.local, self.run)
        value = resolve_value(authored, {**names, **extra} if extra else names, self.now, self.effort)
        _require_shallow(value)
        return value

    def assign(self, scopes: Scopes, path: str, value: Any) -> Scopes:
        """The scopes with ``value`` at an assign path. Raises ``ValidationFailure`` for a path that leads nowhere."""
        return Scopes(**assign_path(scopes.as_dict(), path, value))

    def assign_all(
        self, scopes: Scopes, assignments: Mapping[str, Any], extra: Mapping[str, Any] | None = None
    ) -> Scopes:
        """The scopes after every assignment in the order of the paths; a later one sees what an earlier one wrote.

        The order is that of the sorted paths: a definition's JSON objects have no order of their own, and two
        definitions with the same hash must do the same.
        """
        for path in sorted(assignments):
            scopes = self.assign(scopes, path, self.value(assignments[path], extra, scopes))
        return scopes

    def derived_id(self, purpose: str) -> str:
        """An id of this attempt, the same on every replay."""
        return derived_id(self.run, self.frame, purpose)

    def text(self, authored: Any, field: str) -> str | None:
        """An authored value that must be text or null."""
        value = self.value(authored)
        if value is None or isinstance(value, str):
            return value
        raise ValidationFailure(f"{field} must be text or null, it is {_kind(value)}", code="NOT_TEXT")

    def number(self, authored: Any, field: str) -> float:
        """An authored value that must be a number (no boolean)."""
        value = self.value(authored)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        raise ValidationFailure(f"{field} must be a number, it is {_kind(value)}", code="NOT_A_NUMBER")


def derived_id(run: RunContext, frame: StepFrame, purpose: str) -> str:
    """A UUID that is the same on every replay and different for every run, item, attempt and purpose."""
    name = f"{run.tenant_id}/{run.run_id}/{frame.item_path}#{frame.attempt}/{purpose}"
    return str(uuid.uuid5(_NAMESPACE, name))


def expression_names(scopes: Scopes, local: Mapping[str, Any], run: RunContext) -> dict[str, Any]:
    """The names an expression may use: variables, then the local scope, then the scopes by name; later ones win."""
    return {**scopes.vars, **local, **scopes.as_dict(), "local": local, "system": run.system()}


def require_boolean(value: Any, what: str) -> bool:
    """``value`` if it is a boolean; nothing is coerced."""
    if isinstance(value, bool):
        return value
    raise ExpressionFailure(f"{what} must be true or false, it is {_kind(value)}", code="NOT_A_BOOLEAN")


def require_array(value: Any, what: str) -> list[Any]:
    """``value`` if it is an array."""
    if isinstance(value, list):
        return value
    raise ExpressionFailure(
        f"{what} must be an array, it is {_kind(value)}: wrap a single value in [ ]", code="NOT_AN_ARRAY"
    )


def _require_shallow(value: Any) -> None:
    # Expressions that wrap their own result once per loop item nest without bound, and every JSON library between here
    # and the store gives up at some depth of its own.
    if is_deeper(value, MAX_VALUE_DEPTH):
        raise ExpressionFailure(f"the value is nested more than {MAX_VALUE_DEPTH} levels deep", code="TOO_DEEP")


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "an array"
        case _:
            return "an object"
