"""Turns the reach of an expression and the size of what it reads into a step limit. Private to ``core.expressions``.

An expression that only walks down from the values at hand visits each value once, and needs no limit besides the
budget. One that reads far values inside a loop could compare or collect whole arrays at every step, which the engine
counts as one; its steps shrink with the size of what it reads far away. Sizes are those of the values, so that the same
expression on the same values always ends the same way.
"""

from collections.abc import Mapping
from typing import Any, Final

from workflow_runtime.core.errors import ExpressionFailure
from workflow_runtime.core.expressions._reach import LONGEST_RANGE, Reach, RootPath

_FREE_COPIES: Final = 2
"""Copies that are allowed without looking how much is copied."""
_MOST_BUILT: Final = 2_000_000
"""Values (a long text counts by its length) that may come of copying and collecting."""
_MOST_COMPARED: Final = 20_000_000
"""Values that comparisons may look at."""
_STEPS_PER_LOOK: Final = 5
_STEPS_PER_ITEM: Final = 3
_FEWEST_STEPS: Final = 60
_SMALL: Final = 64
_TEXT_PER_VALUE: Final = 16
_COMPARED_PER_VALUE: Final = 200
_MOST_COUNTED: Final = 1_000_000


def is_local(reach: Reach) -> bool:
    """Whether nothing far is read at all."""
    return not (reach.roams or reach.roots or reach.repeats_ranges)


def step_limit(reach: Reach, reads: Any, context: Mapping[str, Any]) -> int | None:
    """The most steps that keep work and memory within bounds, or None for no limit of this kind.

    ``reads`` is what the expression reads of ``context``, as the engine tells it. Raises ``ExpressionFailure``
    (BUDGET_EXCEEDED) when what it would build is too large from the start.
    """
    if reach.copies > _FREE_COPIES and reach.copies * (reach.written + size_of(context, reads)) > _MOST_BUILT:
        raise _too_large()
    if is_local(reach):
        return None
    far = _far_size(reach, reads, context)
    limit = _STEPS_PER_LOOK * _MOST_COMPARED // far
    if reach.collects:
        limit = min(limit, _STEPS_PER_ITEM * _MOST_BUILT // (far * max(reach.copies, 1)))
    if limit < _FEWEST_STEPS or (reach.sorts_by_far and far > _SMALL):
        raise _too_large()
    return limit


def _far_size(reach: Reach, reads: Any, context: Mapping[str, Any]) -> int:
    sizes = [size_of(context, reads)] if reach.roams else [size_of(_at(context, root), True) for root in reach.roots]
    return max(*sizes, LONGEST_RANGE if reach.repeats_ranges else 1, 1)


def work(reach: Reach, reads: Any, context: Mapping[str, Any]) -> int:
    """About how many values an evaluation looks at; every array is taken to hold items like its first one.

    A thousand of them take the engine about a millisecond, and so do 200,000 comparisons with far values.
    """
    size = _estimated(context, reads) + reach.written
    if is_local(reach):
        return size
    far = size if reach.roams else max((_estimated(_at(context, root), True) for root in reach.roots), default=1)
    return size + min(size * far, _STEPS_PER_LOOK * _MOST_COMPARED) // _COMPARED_PER_VALUE


def _estimated(value: Any, reads: Any) -> int:
    if isinstance(value, str):
        return 1 + len(value) // _TEXT_PER_VALUE
    if isinstance(value, list | tuple):
        return 1 + (len(value) * _estimated(value[0], reads) if value else 0)
    if not isinstance(value, Mapping):
        return 1
    named = reads if isinstance(reads, Mapping) else dict.fromkeys(value, True)
    return 1 + sum(_estimated(value[key], named[key]) for key in named if key in value)


def size_of(value: Any, reads: Any) -> int:
    """Values inside the part of ``value`` that ``reads`` names, at least 1, counted up to a million."""
    todo: list[tuple[Any, Any]] = [(value, reads)]
    size = 0
    while todo and size < _MOST_COUNTED:
        item, tree = todo.pop()
        size += 1
        if isinstance(item, str):
            size += len(item) // _TEXT_PER_VALUE
        elif isinstance(item, list | tuple):
            todo.extend((inner, tree) for inner in item)
        elif isinstance(item, Mapping):
            named = tree if isinstance(tree, Mapping) else dict.fromkeys(item, True)
            todo.extend((item[key], named[key]) for key in named if key in item)
    return size


def narrowed(context: Mapping[str, Any], reads: Any) -> dict[str, Any]:
    """``context`` without the object keys that ``reads`` does not name; arrays stay whole."""
    if not isinstance(reads, Mapping):
        return dict(context)
    return {
        key: narrowed(context[key], tree) if isinstance(context[key], Mapping) else context[key]
        for key, tree in reads.items()
        if key in context
    }


def _at(context: Mapping[str, Any], root: RootPath) -> Any:
    """The value at a place; the array itself as soon as one stands in the way."""
    value: Any = context
    for name in root:
        if isinstance(value, list):
            return value
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _too_large() -> ExpressionFailure:
    return ExpressionFailure(
        "The expression would compare or collect too many large values; loop over the items with control.forEach "
        "instead, or read less inside the loop.",
        code="BUDGET_EXCEEDED",
    )
