"""What an expression may be worth: the few kinds of value the constant propagation can follow. Build process.

A ``Result`` is a set of possible values and whether that set is all there is. Anything not followed is ``UNKNOWN``:
the empty set, incomplete. Callers treat incomplete as *could be anything*, so a gap here only makes the check stricter.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Final

MOST_VALUES: Final = 64


@dataclass(frozen=True, slots=True)
class Text:
    """A string; bytes are read as ASCII."""

    value: str


@dataclass(frozen=True, slots=True)
class Plain:
    """Another constant: a number, a truth value or None."""

    value: int | float | bool | None


@dataclass(frozen=True, slots=True)
class Ref:
    """A module or something in one, by its full dotted name: ``importlib.import_module``."""

    name: str


@dataclass(frozen=True, slots=True)
class Instance:
    """What calling a class or function gave: ``pathlib.Path("x")`` is an Instance of ``pathlib.Path``."""

    of: str


@dataclass(frozen=True, slots=True)
class Namespace:
    """The dictionary of a module: ``vars(builtins)``, ``globals()``; ``sys.modules`` is the one without an owner."""

    owner: str | None


@dataclass(frozen=True, slots=True)
class Items:
    """A list, tuple, set or anything else that is iterated: one Result an element."""

    elements: tuple["Result", ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A dictionary display; the key is None where it is not a known string."""

    entries: tuple[tuple[str | None, "Result"], ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """A function with its first arguments filled in by ``functools.partial``."""

    function: str
    arguments: tuple["Result", ...]
    keywords: tuple[tuple[str, "Result"], ...]


Value = Text | Plain | Ref | Instance | Namespace | Items | Table | Bound


@dataclass(frozen=True, slots=True)
class Result:
    """Every value found, and whether there can be no other."""

    values: frozenset[Value]
    complete: bool

    def texts(self) -> list[str]:
        """The strings among the values, sorted."""
        return sorted([value.value for value in self.values if isinstance(value, Text)])

    def only_constants(self) -> bool:
        """Whether the value is a string or another constant, which loads nothing, and nothing else."""
        return self.complete and all(isinstance(value, Text | Plain) for value in self.values)

    def refs(self) -> list[str]:
        """The dotted names among the values, sorted."""
        return sorted([value.name for value in self.values if isinstance(value, Ref)])

    def incomplete(self) -> "Result":
        """The same values, with the possibility of others."""
        return Result(self.values, False)


UNKNOWN: Final = Result(frozenset(), False)


def one(value: Value) -> Result:
    """Exactly this value."""
    return Result(frozenset((value,)), True)


def union(results: Iterable[Result]) -> Result:
    """Any of the results; nothing at all is unknown."""
    values: set[Value] = set()
    complete = found = False
    for index, result in enumerate(results):
        values |= result.values
        complete = result.complete and (complete or index == 0)
        found = True
    if len(values) > MOST_VALUES:
        return UNKNOWN
    return Result(frozenset(values), complete and found)


def combined(results: Iterable[Result], join: Callable[[tuple[str, ...]], str]) -> Result:
    """``join`` over every combination of the results' strings; other values make it incomplete."""
    parts = list(results)
    choices = [_strings(part) for part in parts]
    total = 1
    for choice in choices:
        total *= len(choice)
    if not parts or total == 0 or total > MOST_VALUES:
        return UNKNOWN
    complete = all(
        part.complete and len(choice) == len(part.values) for part, choice in zip(parts, choices, strict=True)
    )
    return Result(frozenset(Text(join(choice)) for choice in product(*choices)), complete)


def _strings(result: Result) -> list[str]:
    return sorted(str(value.value) for value in result.values if isinstance(value, Text | Plain))


def fully_known(result: Result) -> bool:
    """Whether the value is known down to the last string in it."""
    return result.complete and all(_known_within(value) for value in result.values)


def _known_within(value: Value) -> bool:
    if isinstance(value, Items):
        return all(fully_known(element) for element in value.elements)
    if isinstance(value, Table):
        return all(key is not None and fully_known(held) for key, held in value.entries)
    return True


def elements_of(result: Result) -> Result:
    """What iterating over the value gives."""
    gathered = []
    for value in result.values:
        match value:
            case Items(elements=elements):
                gathered.append(union(elements) if elements else Result(frozenset(), True))
            case Table(entries=entries):
                gathered.append(union(one(Text(key)) if key is not None else UNKNOWN for key, _ in entries))
            case _:
                gathered.append(UNKNOWN)
    found = union(gathered)
    return found if result.complete else found.incomplete()
