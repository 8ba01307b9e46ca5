"""One filter of an event wait as a model: ``{path, op, value?}``. Pure; evaluated by ``core.filters``."""

from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from workflow_runtime.core.definition import values
from workflow_runtime.core.wire import WireModel

type FilterOp = Literal[
    "=", "!=", "in", "not_in", "exists", "not_exists", ">", ">=", "<", "<=", "contains", "starts_with", "ends_with"
]

PRESENCE_OPS: Final = frozenset({"exists", "not_exists"})
LIST_OPS: Final = frozenset({"in", "not_in"})
ORDER_OPS: Final = frozenset({">", ">=", "<", "<="})
TEXT_OPS: Final = frozenset({"contains", "starts_with", "ends_with"})


class EventFilter(WireModel):
    """A condition on the payload of an event. ``value`` is a literal whose kind ``op`` decides."""

    path: str = Field(min_length=1)
    op: FilterOp
    value: values.Literal = None

    @model_validator(mode="after")
    def _value_fits_the_operator(self) -> Self:
        given = "value" in self.model_fields_set
        if self.op in PRESENCE_OPS:
            if given:
                raise ValueError(f'"{self.op}" takes no value; remove it')
        elif not given:
            raise ValueError(f'"{self.op}" needs a value')
        elif not _fits(self.op, self.value):
            raise ValueError(f'"{self.op}" needs {_wanted(self.op)}')
        return self


def _fits(op: str, value: Any) -> bool:
    if op in LIST_OPS:
        return isinstance(value, list) and all(_is_scalar(item) for item in value)
    if op in ORDER_OPS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if op in TEXT_OPS:
        return isinstance(value, str)
    return _is_scalar(value)


def _wanted(op: str) -> str:
    if op in LIST_OPS:
        return "an array of strings, numbers, booleans or nulls"
    if op in ORDER_OPS:
        return "a number"
    return "a string" if op in TEXT_OPS else "a string, number, boolean or null"


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)
