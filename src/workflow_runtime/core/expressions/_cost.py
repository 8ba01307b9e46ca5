"""Prices comparisons that could look at large values again and again. Private to ``core.expressions``.

The engine counts a comparison as one step whatever its size. Inside a loop over items, an expression that also reads
beyond the item (``$$``, ``%``, a variable) could compare whole arrays thousands of times within its step budget; for
those expressions only, the budget shrinks with the size of what they read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

type RootPath = tuple[str, ...]
"""The names of ``$$.payload.sku``: a place in the context that does not depend on the item."""

_SMALL_CALLS: Final = frozenset({"len", "toString", "nowIso"})
_COMPARISONS: Final = frozenset({"=", "!=", "in"})
_WORK: Final = 50_000_000
"""Values an evaluation may compare in all."""
_MOST_NODES: Final = 200_000
_FEWEST_STEPS: Final = 300
_STEPS_PER_COMPARISON: Final = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison whose size the text does not bound; ``roots`` are sides that do not depend on the item."""

    roots: tuple[RootPath, ...]


def comparison_of(node: Any) -> Comparison | None:
    """The comparison at a syntax node, or None when there is none or one side is small by its form."""
    if node.type != "binary" or node.value not in _COMPARISONS:
        return None
    sides = (node.rhs,) if node.value == "in" else (node.lhs, node.rhs)
    if any(_is_small(side) for side in sides):
        return None
    return Comparison(tuple(root for side in sides if (root := _root_path(side)) is not None))


def affordable_steps(comparisons: tuple[Comparison, ...], reads: Any, context: Mapping[str, Any]) -> int | None:
    """The most steps that keep comparing within bounds, or None when every comparison turns out to be small."""
    if all(any(_is_scalar(context, root) for root in item.roots) for item in comparisons):
        return None
    nodes = _count(context, reads)
    return max(_FEWEST_STEPS, _STEPS_PER_COMPARISON * _WORK // nodes) if nodes < _MOST_NODES else _FEWEST_STEPS


def _is_small(node: Any) -> bool:
    if node.type in ("string", "number", "value", "binary"):
        return True
    if node.type == "unary":
        return node.value == "-" or (node.value == "[" and all(_is_small(item) for item in node.expressions))
    return node.type == "function" and node.procedure.value in _SMALL_CALLS


def _root_path(node: Any) -> RootPath | None:
    if node.type != "path" or node.steps[0].type != "variable" or node.steps[0].value != "$":
        return None
    steps = node.steps[1:]
    if all(step.type == "name" and not step.stages and not step.predicate for step in steps):
        return tuple(str(step.value) for step in steps)
    return None


def _is_scalar(context: Mapping[str, Any], root: RootPath) -> bool:
    value: Any = context
    for name in root:
        if isinstance(value, list):
            return False
        value = value.get(name) if isinstance(value, Mapping) else None
    return not isinstance(value, list | Mapping)


def _count(context: Mapping[str, Any], reads: Any) -> int:
    """Values inside the part of ``context`` that ``reads`` names, counted up to ``_MOST_NODES``."""
    todo: list[tuple[Any, Any]] = [(context, reads)]
    nodes = 0
    while todo and nodes < _MOST_NODES:
        value, tree = todo.pop()
        nodes += 1
        if isinstance(value, list | tuple):
            todo.extend((item, tree) for item in value)
        elif isinstance(value, Mapping):
            named = tree if isinstance(tree, dict) else dict.fromkeys(value, True)
            todo.extend((value[key], named[key]) for key in named if key in value)
    return max(nodes, 1)
