"""Names and values that workflows choose, their limits, and marks of operations. Private to the stores; pure."""

import hashlib
from datetime import timedelta
from typing import Any, Final

from workflow_runtime.store._rows import dump
from workflow_runtime.store.connection import tenant_key
from workflow_runtime.store.errors import InvalidNameError, InvalidValueError, ValueTooLargeError

MAX_LABEL: Final = 256
MAX_VALUE_BYTES: Final = 256 * 1024
OPERATION_MEMORY: Final = timedelta(days=7)


def check_labels(**labels: str) -> None:
    """Raises `InvalidNameError` for a text no namespace, key, type, id or relation can be; the keyword says which."""
    for kind, text in labels.items():
        if not text.strip() or len(text) > MAX_LABEL or not text.isprintable():
            raise InvalidNameError(kind.replace("_", " "), text[:80], f"1 to {MAX_LABEL} printable characters")


def value_json(value: Any, what: str) -> str:
    """``value`` as JSON of at most ``MAX_VALUE_BYTES``. Raises `InvalidValueError` and `ValueTooLargeError`."""
    text = dump(value, what)
    size = len(text.encode())
    if size > MAX_VALUE_BYTES:
        raise ValueTooLargeError(what, size, MAX_VALUE_BYTES)
    return text


def number_json(value: int | float, what: str) -> str:
    """``value`` as JSON. Raises `InvalidValueError` for what is not a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValueError(f"{what} {value!r} is not a number")
    return dump(value, what)


def check_limit(limit: int, most: int) -> int:
    """``limit`` itself. Raises `InvalidValueError`."""
    if not 1 <= limit <= most:
        raise InvalidValueError(f"limit {limit} is not between 1 and {most}")
    return limit


def operation_mark(tenant: str, kind: str, operation: str | None) -> tuple[str, str | int]:
    """Key of the mark of one kind of change under an idempotency key, and how long to keep it in ms."""
    digest = hashlib.sha256(f"{kind}\n{operation or ''}".encode()).hexdigest()
    memory = round(OPERATION_MEMORY.total_seconds() * 1000)
    return tenant_key(tenant, "operation", digest), "" if operation is None else memory
