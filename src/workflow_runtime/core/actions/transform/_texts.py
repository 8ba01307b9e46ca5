"""Transforms of text. Pure; called by the table in ``transform``. Lengths count characters (code points)."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from workflow_runtime.core.errors import ValidationFailure

MAX_TEXT: int = 1_000_000
"""Characters a transform may give: more could not travel to the next step."""


def as_text(value: Any) -> str:
    """A value as text: null is empty, booleans and numbers as in JSON, objects and arrays as compact JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def bounded(text: str) -> str:
    """``text`` unless it is longer than ``MAX_TEXT``, which is a ``ValidationFailure``."""
    if len(text) > MAX_TEXT:
        raise _too_long(str(len(text)))
    return text


def bounded_join(parts: Iterable[str]) -> str:
    """``parts`` as one text; asks for no further part when they are too long or too many, and raises then."""
    kept, size = [], 0
    for part in parts:
        size += len(part)
        if size > MAX_TEXT:
            raise _too_long(f"more than {MAX_TEXT}")
        kept.append(part)
        if len(kept) > MAX_TEXT:
            raise ValidationFailure(
                f"The text would be put together from more than {MAX_TEXT} parts.", code="TEXT_TOO_LONG"
            )
    return "".join(kept)


def _too_long(size: str) -> ValidationFailure:
    return ValidationFailure(f"The text would have {size} characters, {MAX_TEXT} are allowed.", code="TEXT_TOO_LONG")


def truncate_text(given: dict[str, Any]) -> Any:
    text, limit = as_text(given.get("text")), int(given["maxLength"])
    ellipsis = given.get("ellipsis", "...")[:limit]
    if len(text) <= limit:
        return {"text": text}
    room = limit - len(ellipsis)
    strategy = given.get("strategy", "end")
    if strategy == "start":
        return {"text": ellipsis + text[len(text) - room :]}
    if strategy == "middle":
        tail = room // 2
        return {"text": text[: room - tail] + ellipsis + text[len(text) - tail :]}
    return {"text": text[:room] + ellipsis}


def concat_text(given: dict[str, Any]) -> Any:
    return {"text": bounded_join(_between(given.get("separator", ""), given.get("values", ())))}


def join_text(given: dict[str, Any]) -> Any:
    return {"text": bounded_join(_between(given.get("delimiter", ""), given.get("items", ())))}


def _between(sign: str, items: Iterable[Any]) -> Iterator[str]:
    for index, item in enumerate(items):
        if index:
            yield sign
        yield as_text(item)


def replace_text(given: dict[str, Any]) -> Any:
    text, search, replacement = as_text(given.get("text")), given["search"], given.get("replacement", "")
    if not search:
        return {"text": text}
    count = text.count(search) if given.get("replaceAll", True) else 1
    if len(text) + count * (len(replacement) - len(search)) > MAX_TEXT:
        raise ValidationFailure("The text would become too long by replacing.", code="TEXT_TOO_LONG")
    return {"text": text.replace(search, replacement, count)}


def split_text(given: dict[str, Any]) -> Any:
    text, delimiter = as_text(given.get("text")), given["delimiter"]
    items = text.split(delimiter) if delimiter else list(text)
    return {"items": [item for item in items if item] if given.get("removeEmpty", False) else items}


def lowercase_text(given: dict[str, Any]) -> Any:
    return {"text": as_text(given.get("text")).lower()}


def uppercase_text(given: dict[str, Any]) -> Any:
    return {"text": as_text(given.get("text")).upper()}


def trim_text(given: dict[str, Any]) -> Any:
    return {"text": as_text(given.get("text")).strip()}
