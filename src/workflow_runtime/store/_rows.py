"""Rows as Redis hashes. Private to the stores; pure."""

import functools
import json
import types
from collections.abc import Mapping
from typing import Any, Literal, Self, Union, get_args, get_origin

from workflow_runtime.core.wire import WireModel
from workflow_runtime.store.errors import InvalidValueError


class HashRow(WireModel):
    """A record kept as one Redis hash under its wire names: text as it is, everything else as JSON, null left out.

    Reading ignores fields it does not know, so that an older process can read what a newer one wrote.
    """

    @classmethod
    def encode(cls, values: Mapping[str, Any]) -> dict[str, str]:
        """Hash fields of ``values`` (wire name to JSON value); nulls are left out."""
        text = _text_fields(cls)
        return {
            name: value if name in text else dump(value, f"field {name!r}")
            for name, value in values.items()
            if value is not None
        }

    @classmethod
    def from_hash(cls, raw: Mapping[str, str]) -> Self:
        """The row that stands in a hash."""
        text = _text_fields(cls)
        known = (field.alias or name for name, field in cls.model_fields.items())
        values = {name: raw[name] if name in text else json.loads(raw[name]) for name in known if name in raw}
        return cls.model_validate(values, strict=False)

    def to_hash(self, *, exclude: frozenset[str] = frozenset()) -> dict[str, str]:
        """The hash of this row; ``exclude`` holds Python field names kept elsewhere."""
        return self.encode(self.model_dump(mode="json", by_alias=True, exclude=set(exclude)))


@functools.cache
def _text_fields(model: type[HashRow]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items() if _is_text(field.annotation))


def _is_text(annotation: Any) -> bool:
    if annotation is str:
        return True
    match get_origin(annotation):
        case origin if origin is Literal:
            return all(isinstance(value, str) for value in get_args(annotation))
        case origin if origin in (Union, types.UnionType):
            return all(part is types.NoneType or _is_text(part) for part in get_args(annotation))
    return False


def dump(value: Any, what: str) -> str:
    """Compact JSON of ``value``; `InvalidValueError` naming ``what`` when it is not JSON."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        # A lone surrogate is legal in JSON but not in UTF-8; only its escaped form can be sent.
        return text if text.isascii() or _is_utf8(text) else json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValueError(f"{what} is not JSON ({error}); pass objects, arrays, text, finite numbers") from error


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def flat(fields: Mapping[str, str]) -> list[str]:
    """Names and values in turn, as HSET takes them."""
    return [part for pair in fields.items() for part in pair]
