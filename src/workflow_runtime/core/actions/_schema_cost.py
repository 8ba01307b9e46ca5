"""How often a JSON Schema makes a validator look at a value, counted without validating. Private to ``core.actions``.

A validator tries every alternative it meets. Alternatives inside alternatives, or inside a schema that contains itself,
multiply: twenty pairs in a row are a million looks at one number, and a recursive choice doubles them with each level
of the value. Schemas are written by others and values come from anywhere, so what would not end must not be begun.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final
from urllib.parse import unquote

PLAIN_SIZE: Final = 300
"""A schema of so many places, written out, is looked through in no time."""

_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_NAMES: Final = ("$id", "id", "$anchor", "$dynamicAnchor")
_HERE: Final = ("not", "if", "then", "else", "allOf", "anyOf", "oneOf")
_HERE_BY_NAME: Final = ("dependentSchemas", "dependencies")
_EVERY_PROPERTY: Final = ("unevaluatedProperties", "propertyNames")
_ELEMENTS: Final = ("items", "prefixItems", "additionalItems", "contains", "unevaluatedItems")

type _Looks = Counter[int]
"""How often each place of the schema, by its identity, is applied to one value."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one subschema leads: to the same value, to its properties, to its elements."""

    here: tuple[int, ...]
    named: dict[str, int]
    rest: tuple[int, ...]
    every: tuple[int, ...]
    elements: tuple[int, ...]

    def under(self, name: str) -> Iterable[int]:
        """What is applied to the property ``name``, or may be."""
        own = (self.named[name],) if name in self.named else self.rest
        return chain(own, self.every)

    def all(self) -> Iterator[int]:
        """Everything it leads to."""
        return chain(self.here, self.named.values(), self.rest, self.every, self.elements)


class SchemaCost:
    """Counts for one schema, which must not change meanwhile."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._root = id(schema)
        self._objects = {self._root: schema}
        self._places: dict[int, _Place] = {}
        self._named = _named_objects(schema)

    def is_plain(self) -> bool:
        """Whether any value is cheap: written out the schema is small, and it contains itself in at most one way."""
        left, loops = PLAIN_SIZE, 0
        path = [(self._root, self._place(self._root).all())]
        while path and left and loops < 2:
            target = next(path[-1][1], None)
            if target is None:
                path.pop()
            elif any(target == entered for entered, _ in path):
                loops += 1
            else:
                left -= 1
                path.append((target, self._place(target).all()))
        return not path

    def looks(self, value: Any, limit: int) -> int:
        """How often a validator looks at ``value`` and all in it; ``limit`` when that, or counting it, is more."""
        total = counting = 0
        todo: list[tuple[Any, _Looks]] = [(value, Counter({self._root: 1}))]
        while todo and total < limit and counting < limit:
            item, level = todo.pop()
            reached: _Looks = Counter()
            while level and total < limit:
                total += level.total()
                reached.update(level)
                level = self._applied(level, lambda place: place.here)
            counting += len(reached) * (1 + len(item) if isinstance(item, dict) else 2)
            if total < limit and counting < limit:
                todo.extend(self._inside(item, reached))
        return min(total, limit) if counting < limit else limit

    def _inside(self, item: Any, reached: _Looks) -> Iterator[tuple[Any, _Looks]]:
        if isinstance(item, dict):
            for name, child in item.items():
                yield child, self._applied(reached, lambda place, name=name: place.under(name))  # type: ignore[misc]
        elif isinstance(item, list):
            elements = self._applied(reached, lambda place: place.elements)
            nested = [child for child in item if isinstance(child, dict | list)]
            yield from ((child, elements) for child in nested)
            # Whatever has nothing in it is looked at alike.
            alike = len(item) - len(nested)
            if alike:
                yield None, Counter({place: times * alike for place, times in elements.items()})

    def _applied(self, looks: _Looks, targets: Callable[[_Place], Iterable[int]]) -> _Looks:
        found: _Looks = Counter()
        for place, times in looks.items():
            for target in targets(self._place(place)):
                found[target] += times
        return found

    def _place(self, identity: int) -> _Place:
        known = self._places.get(identity)
        if known is None:
            known = self._places[identity] = self._read(self._objects[identity])
        return known

    def _read(self, schema: dict[str, Any]) -> _Place:
        by_name = chain.from_iterable(_values(schema.get(key)) for key in _HERE_BY_NAME)
        referred = (self._referred(schema.get(key)) for key in _REFERENCES)
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        patterns = _values(schema.get("patternProperties"))
        return _Place(
            here=self._enter([*referred, *by_name, *(schema.get(key) for key in _HERE)]),
            named={name: one for name, each in properties.items() for one in self._enter([each])},
            rest=self._enter([schema.get("additionalProperties")]),
            every=self._enter([*patterns, *(schema.get(key) for key in _EVERY_PROPERTY)]),
            elements=self._enter(schema.get(key) for key in _ELEMENTS),
        )

    def _enter(self, found: Iterable[Any]) -> tuple[int, ...]:
        """The identities of the subschemas among ``found``, each a schema, a list of schemas, or neither."""
        schemas = [one for each in found for one in (each if isinstance(each, list) else [each])]
        objects = [one for one in schemas if isinstance(one, dict)]
        self._objects.update((id(one), one) for one in objects)
        return tuple(id(one) for one in objects)

    def _referred(self, reference: Any) -> Any:
        if not isinstance(reference, str):
            return None
        base, _, fragment = reference.partition("#")
        if fragment and not fragment.startswith("/"):
            return self._named.get(fragment)
        found: Any = self._named.get(_last(base)) if base else self._objects[self._root]
        for part in fragment.split("/")[1:]:
            found = _member(found, unquote(part).replace("~1", "/").replace("~0", "~"))
        return found


def _named_objects(schema: Any) -> dict[str, dict[str, Any]]:
    """Every object of the document that has a name to be referred to by; of an address its last part counts."""
    named: dict[str, dict[str, Any]] = {}
    todo = [schema]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            named |= {_last(item[key]): item for key in _NAMES if isinstance(item.get(key), str)}
        todo.extend(_values(item) if isinstance(item, dict) else item if isinstance(item, list) else ())
    return named


def _last(name: str) -> str:
    return name.rstrip("#/").rpartition("/")[2].removeprefix("#")


def _values(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else ()


def _member(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return value[int(name)] if name.isdecimal() and int(name) < len(value) else None
    return value.get(name) if isinstance(value, dict) else None
