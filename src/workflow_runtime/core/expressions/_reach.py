"""Bounds how large the values of an expression can become, from its syntax tree alone. Private to ``core.expressions``.

The engine shares values instead of copying them, and counts no step for sharing: ``a.{"x": $, "y": $}`` repeated forty
times is a small value in its memory and 2**40 values to anybody who walks it, which the engine itself does when it
casts, compares or reports an error. So a survey over the tree computes how many times a value may hold what was read,
and whether a loop may collect a value from outside the loop again and again. ``_cost`` turns both into a budget.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from workflow_runtime.core.errors import ExpressionFailure

type RootPath = tuple[str, ...]
"""The names of ``$$.payload.sku``: a place in the context that does not depend on the item at hand."""

MAX_COPIES: Final = 10_000
"""Times a value may hold what was read; more is refused whatever was read."""

LONGEST_RANGE: Final = 20_000
"""Numbers a range may have: what the widest budget allows an array."""

_SCALAR_CALLS: Final = frozenset({"len", "nowIso", "toString"})
_DESCENDANT_COPIES: Final = 8
_TEXT_PER_VALUE: Final = 16
_ROOT: Final = "$"


class Kept(NamedTuple):
    """What a value may hold: ``copies`` of what was read, and ``far`` values, read from outside the loop at hand."""

    copies: int
    far: bool = False


_NOTHING: Final = Kept(0)


@dataclass(slots=True)
class Reach:
    """What the survey found."""

    copies: int = 1
    """The most copies any value on the way may hold."""
    collects: bool = False
    """A loop may collect far values."""
    roots: list[RootPath] = field(default_factory=list)
    """Far places it reads by ``$$`` and names only, or by a variable that stands for such a place."""
    roams: bool = False
    """It reads far values in some other way."""
    sorts_by_far: bool = False
    """A sort compares far values, which costs no steps."""
    written: int = 0
    """Values that the text itself brings: its literals, and the longest range an array may hold."""
    repeats_ranges: bool = False
    """A loop makes ranges, each of which may be as long as an array can be."""


def survey(tree: Any) -> Reach:
    """The reach of a checked expression. Raises ``ExpressionFailure`` (TOO_DEEP) beyond ``MAX_COPIES``."""
    surveyor = _Surveyor()
    surveyor.value(tree, Kept(1), in_loop=False)
    return surveyor.reach


class _Surveyor:
    def __init__(self) -> None:
        self.reach = Reach()
        self._variables: dict[str, Kept] = {}
        self._aliases: dict[str, RootPath] = {}

    def value(self, node: Any, item: Kept, *, in_loop: bool) -> Kept:
        """What the value of ``node`` may hold where ``$`` is ``item``."""
        kept = self._plain(node, item, in_loop=in_loop)
        if node.type != "path":
            kept = self._refine(node, kept, in_loop=in_loop)
        return self._noted(kept)

    def _noted(self, kept: Kept) -> Kept:
        self.reach.copies = max(self.reach.copies, kept.copies)
        if kept.copies > MAX_COPIES:
            raise ExpressionFailure(
                "The expression builds values out of the values it built, too many times over; split it over several "
                "steps.",
                code="TOO_DEEP",
            )
        return kept

    def _plain(self, node: Any, item: Kept, *, in_loop: bool) -> Kept:
        match node.type:
            case "path":
                return self._path(node, item, in_loop=in_loop)
            case "variable":
                return self._variable(str(node.value), item, in_loop=in_loop)
            case "name" | "wildcard":
                return item
            case "descendant":
                return Kept(item.copies * _DESCENDANT_COPIES, item.far)
            case "parent":
                self.reach.roams = True
                return Kept(item.copies, far=True)
            case "bind":
                return self._bind(node, item, in_loop=in_loop)
            case "block":
                return self._block(node.expressions, item, in_loop=in_loop)
            case "condition":
                return self._condition(node, item, in_loop=in_loop)
            case "function":
                return self._call(node, None, item, in_loop=in_loop)
            case "apply":
                return self._apply(node, item, in_loop=in_loop)
            case "unary" | "binary":
                return self._operator(node, item, in_loop=in_loop)
            case "sort":
                for term in node.terms:
                    self.reach.sorts_by_far |= self.value(term.expression, item, in_loop=True).far
                return item
            case _:
                self.reach.written += 1 + len(str(node.value)) // _TEXT_PER_VALUE
                return _NOTHING

    def _path(self, node: Any, item: Kept, *, in_loop: bool) -> Kept:
        root = _root_path(node)
        if root is not None and in_loop:
            self.reach.roots.append(root)
            kept = Kept(1, far=True)
            return self._refine(node, self._refine(node.steps[-1], kept, in_loop=True), in_loop=True)
        kept = item
        for index, step in enumerate(node.steps):
            looping = in_loop or index > 0
            kept = self._refine(step, self._plain(step, kept, in_loop=looping), in_loop=looping)
            if looping and kept.far:
                self.reach.collects = True
            self._noted(kept)
        return self._refine(node, kept, in_loop=in_loop)

    def _refine(self, node: Any, kept: Kept, *, in_loop: bool) -> Kept:
        """The predicates, variables and grouping that hang on a node."""
        if node.focus is not None:
            # A join combines every item with every other: each is far from the other's loop.
            self.reach.roams = True
            self._variables[str(node.focus)] = Kept(kept.copies, far=True)
        if node.index is not None:
            self._variables[str(node.index)] = _NOTHING
        for stage in (*(node.predicate or ()), *(node.stages or ())):
            if stage.type == "filter":
                self.value(stage.expr, kept, in_loop=True)
            elif stage.type == "index":
                self._variables[str(stage.value)] = _NOTHING
        if node.group is not None:
            kept = self._noted(self._object(node.group.lhs_object, kept, in_loop=True))
            self.reach.collects |= kept.far
        return kept

    def _variable(self, name: str, item: Kept, *, in_loop: bool) -> Kept:
        if name == "":
            return item
        if name == _ROOT:
            self.reach.roams |= in_loop
            return Kept(1, far=in_loop)
        kept = self._variables.get(name, _NOTHING)
        if in_loop and kept.copies:
            if name in self._aliases:
                self.reach.roots.append(self._aliases[name])
            else:
                self.reach.roams = True
        return Kept(kept.copies, far=in_loop and kept.copies > 0)

    def _bind(self, node: Any, item: Kept, *, in_loop: bool) -> Kept:
        name = str(node.lhs.value)
        kept = self.value(node.rhs, item, in_loop=in_loop)
        place = _names(node.rhs.steps) if node.rhs.type == "path" and not in_loop and not node.rhs.group else None
        if place is not None and name not in self._variables:
            self._aliases[name] = place
        else:
            self._aliases.pop(name, None)
        known = self._variables.get(name, _NOTHING)
        self._variables[name] = Kept(max(kept.copies, known.copies), kept.far or known.far)
        return kept

    def _block(self, nodes: Iterable[Any], item: Kept, *, in_loop: bool) -> Kept:
        kept = _NOTHING
        for node in nodes:
            kept = self.value(node, item, in_loop=in_loop)
        return kept

    def _condition(self, node: Any, item: Kept, *, in_loop: bool) -> Kept:
        self.value(node.condition, item, in_loop=in_loop)
        kept = self.value(node.then, item, in_loop=in_loop)
        other = self.value(node._else, item, in_loop=in_loop) if node._else is not None else _NOTHING
        return Kept(max(kept.copies, other.copies), kept.far or other.far)

    def _call(self, node: Any, piped: Kept | None, item: Kept, *, in_loop: bool) -> Kept:
        given = [] if piped is None else [piped]
        given += [self.value(argument, item, in_loop=in_loop) for argument in node.arguments]
        return _result(str(node.procedure.value), given)

    def _apply(self, node: Any, item: Kept, *, in_loop: bool) -> Kept:
        piped = self.value(node.lhs, item, in_loop=in_loop)
        if node.rhs.type == "function":
            return self._call(node.rhs, piped, item, in_loop=in_loop)
        return _result(str(node.rhs.value), [piped])

    def _operator(self, node: Any, item: Kept, *, in_loop: bool) -> Kept:
        if node.type == "unary" and node.value == "[":
            return self._sum(node.expressions, item, in_loop=in_loop)
        if node.type == "unary" and node.value == "{":
            return self._object(node.lhs_object, item, in_loop=in_loop)
        # Chains such as a & b & c hang to the left as deep as they are long, hence no recursion.
        if node.value == "..":
            self.reach.written += LONGEST_RANGE
            self.reach.repeats_ranges |= in_loop
        todo = [node]
        while todo:
            inner = todo.pop()
            if inner.type == "binary" and not inner.predicate:
                todo += [inner.lhs, inner.rhs]
            elif inner.type == "unary" and inner.value == "-":
                todo.append(inner.expression)
            else:
                self.value(inner, item, in_loop=in_loop)
        return Kept(1, far=in_loop) if node.value == ".." else _NOTHING

    def _object(self, pairs: Iterable[Any], item: Kept, *, in_loop: bool) -> Kept:
        for key, _ in pairs:
            self.value(key, item, in_loop=in_loop)
        return self._sum([value for _, value in pairs], item, in_loop=in_loop)

    def _sum(self, nodes: Iterable[Any], item: Kept, *, in_loop: bool) -> Kept:
        """Everything the parts hold; parts that are different properties of one item hold it once together."""
        places: list[RootPath] = []
        copies, far = 0, False
        for node in nodes:
            kept = self.value(node, item, in_loop=in_loop)
            far |= kept.far
            place = _names(node.steps) if node.type == "path" and not node.group else None
            if place is None:
                copies += kept.copies
            else:
                places.append(place)
        # What is written here is a value too, and may be copied on.
        return self._noted(Kept(max(1, copies + item.copies * _overlap(places)), far))


def _result(name: str, given: list[Kept]) -> Kept:
    if name in _SCALAR_CALLS or not given:
        return _NOTHING
    copies = [kept.copies for kept in given]
    return Kept(sum(copies) if name == "append" else max(copies), any(kept.far for kept in given))


def _root_path(path: Any) -> RootPath | None:
    """The place that a path names from ``$$`` on, when only names follow."""
    first, *steps = path.steps
    if first.type != "variable" or first.value != _ROOT or first.predicate or first.stages or not steps:
        return None
    return _names(steps)


def _names(steps: Iterable[Any]) -> RootPath | None:
    """The names of steps that are nothing but names, filters at the end included since they only leave things out."""
    steps = list(steps)
    plain = all(step.type == "name" and step.focus is None and step.index is None for step in steps)
    return tuple(str(step.value) for step in steps) if plain else None


def _overlap(places: list[RootPath]) -> int:
    """The most places that contain one and the same value."""
    return max((sum(place[: len(other)] == other for other in places) for place in places), default=0)
