"""Read JSON that every reader would read alike. Pure; importable anywhere.

RFC 8259 leaves open what an object means that has a name twice, and what becomes of a number that no double can hold:
one reader takes the first, another the last, a third gives infinity. What people and programs send is refused instead.
"""

import json
import math
import re
from collections import Counter
from typing import Any, Final

from pydantic_core import from_json

from workflow_runtime.core.errors import ValidationFailure

_MAYBE_TOO_LARGE: Final = re.compile(rb"[0-9]{309}|[eE]\+?[0-9]")
"""Only a number written with that many digits or with an exponent can be beyond a double; in a text it costs time."""


def read_json(text: bytes) -> Any:
    """The value in a UTF-8 JSON text.

    Raises ``ValidationFailure`` (code ``NOT_JSON``) for anything that is not strict JSON (NaN, lone surrogates, nesting
    that could exhaust a stack), for a name that stands twice in an object and for numbers beyond a double.

    >>> read_json(b'{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    """
    try:
        from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise _refuse(str(error)) from None
    if _MAYBE_TOO_LARGE.search(text):
        return json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_float=_number)
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    counted = Counter(name for name, _ in pairs)
    [(twice, _)] = counted.most_common(1)
    raise _refuse(f"the key {twice!r} stands twice in one object")


def _integer(digits: str) -> int:
    _number(digits)
    return int(digits)


def _number(digits: str) -> float:
    found = float(digits)
    if not math.isfinite(found):
        raise _refuse(f"the number {digits[:20]}{'…' if len(digits) > 20 else ''} is larger than a double can be")
    return found


def _refuse(reason: str) -> ValidationFailure:
    return ValidationFailure(reason, code="NOT_JSON")
