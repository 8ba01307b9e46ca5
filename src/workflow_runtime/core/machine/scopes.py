"""The four scopes a run carries. Pure; called from workflow code.

Scopes are never changed in place: a write makes a new ``Scopes`` which shares everything but the path to the written
value, so that a step costs nothing for the size of the payload, a failed step leaves no trace, and a checkpoint may
hold the very same objects.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Scopes:
    """``payload`` and ``error`` are any JSON value, ``vars`` and ``meta`` objects."""

    payload: Any
    vars: Mapping[str, Any]
    meta: Mapping[str, Any]
    error: Any

    @classmethod
    def initial(cls, payload: Any) -> Self:
        """The scopes a run begins with."""
        return cls(payload=payload, vars={}, meta={}, error=None)

    def with_vars(self, changes: Mapping[str, Any]) -> Self:
        """The scopes after setting some variables."""
        return replace(self, vars={**self.vars, **changes})

    def without_var(self, name: str) -> Self:
        """The scopes after removing one variable."""
        return replace(self, vars={key: value for key, value in self.vars.items() if key != name})

    def with_error(self, error: Any) -> Self:
        """The scopes with another ``error``."""
        return replace(self, error=error)

    def as_dict(self) -> dict[str, Any]:
        """``{payload, vars, meta, error}``, sharing the values."""
        return {"payload": self.payload, "vars": self.vars, "meta": self.meta, "error": self.error}
