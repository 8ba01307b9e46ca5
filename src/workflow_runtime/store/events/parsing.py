"""Reads stream messages as events, strictly, and writes events as stream messages. Importable anywhere; pure.

One format for the stream and for ``POST /api/events`` (RUNTIME.md section 1). Fields nobody knows are kept and ignored,
so that a publisher may add its own, such as tracing headers.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Never
from uuid import UUID

from workflow_runtime.core.canonical import MAX_PAYLOAD_DEPTH, is_deeper
from workflow_runtime.store.connection import check_tenant
from workflow_runtime.store.errors import InvalidNameError
from workflow_runtime.store.events.errors import MalformedEventError
from workflow_runtime.store.events.records import IncomingEvent

MAX_PAYLOAD_BYTES: Final = 1024 * 1024
"""Half of what Temporal takes as one value, since a mapping may add to a payload."""
MAX_NAME_LENGTH: Final = 200
MAX_KEY_LENGTH: Final = 512

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_CANONICAL_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONG_NUMBER: Final = re.compile(r"[0-9]{309}")
"""Only an integer of that many digits can be beyond a double; others need no look of their own."""
_SURROGATE: Final = re.compile(r"\\u[dD][89abAB]")


def parse_pairs(pairs: Sequence[tuple[bytes, bytes]]) -> IncomingEvent:
    """The event in a stream message as it came. Raises MalformedEventError naming the first field that is wrong."""
    fields: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name = _text("field name", raw_name)
        if name in fields:
            raise MalformedEventError(name, "stands in the message twice")
        fields[name] = _text(name, raw_value)
    return parse_fields(fields)


def parse_fields(fields: dict[str, str]) -> IncomingEvent:
    """The event in the fields of a stream message. Raises MalformedEventError naming the first field that is wrong."""
    name = _optional(fields, "event_name", MAX_NAME_LENGTH) or _required(fields, "event_type", MAX_NAME_LENGTH)
    _required(fields, "event_type", MAX_NAME_LENGTH)
    return IncomingEvent(
        event_id=_checked("event_id", _uuid, _required(fields, "event_id", 64)),
        event_name=name,
        tenant_id=_checked("tenant", _tenant, _required(fields, "tenant", 200)),
        timestamp=_checked("timestamp", _timestamp, _required(fields, "timestamp", 64)),
        explicit_key=_optional(fields, "workflow_correlation_key", MAX_KEY_LENGTH),
        payload=_checked("payload_json", parse_payload, fields.get("payload_json", "")),
        fields=fields,
    )


def recorded_event(fields: dict[str, str]) -> IncomingEvent:
    """The event in fields that `parse_fields` took before they were recorded, without looking at them as closely."""
    event_id = fields["event_id"]
    return IncomingEvent(
        event_id=event_id if _CANONICAL_UUID.fullmatch(event_id) else _uuid(event_id),
        event_name=fields.get("event_name") or fields["event_type"],
        tenant_id=fields["tenant"],
        timestamp=fields["timestamp"],
        explicit_key=fields.get("workflow_correlation_key") or None,
        payload=json.loads(fields["payload_json"]),
        fields=fields,
    )


def event_fields(
    *,
    event_id: str,
    event_name: str,
    tenant: str,
    timestamp: str,
    payload: Any,
    correlation_key: str | None = None,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The stream fields of an event; ``extra`` holds optional ones such as ``user_id``. Raises MalformedEventError."""
    fields = {
        **(extra or {}),
        "event_id": event_id,
        "event_type": event_name,
        "event_name": event_name,
        "tenant": tenant,
        "timestamp": timestamp,
        "payload_json": _checked("payload", _dump, payload),
    }
    if correlation_key is not None:
        fields["workflow_correlation_key"] = correlation_key
    return fields


def parse_payload(text: str) -> Any:
    """The JSON value in ``text``. Raises ValueError for what cannot travel on: NaN, infinities, half surrogates."""
    if not text:
        raise ValueError("is missing")
    if (size := len(text.encode())) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"is {size} bytes, the limit is {MAX_PAYLOAD_BYTES}")
    try:
        parse_integer = _finite_integer if _LONG_NUMBER.search(text) else None
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite, parse_int=parse_integer)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("contains half of a surrogate pair, which is no text") from None
    except ValueError as error:
        raise ValueError(f"is not JSON ({error})") from None
    if is_deeper(value, MAX_PAYLOAD_DEPTH):
        raise ValueError(f"is nested more than {MAX_PAYLOAD_DEPTH} levels deep")
    return value


def _dump(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text.encode()
    return text


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise MalformedEventError(name, f"is not UTF-8 ({error.reason} at byte {error.start})") from None


def _required(fields: Mapping[str, str], name: str, longest: int) -> str:
    value = _optional(fields, name, longest)
    if value is None:
        raise MalformedEventError(name, "is missing")
    return value


def _optional(fields: Mapping[str, str], name: str, longest: int) -> str | None:
    value = fields.get(name)
    if not value:
        return None
    if len(value) > longest:
        raise MalformedEventError(name, f"is {len(value)} characters long, the limit is {longest}")
    if _CONTROL.search(value):
        raise MalformedEventError(name, "contains a control character")
    return value


def _checked[V, R](name: str, rule: Callable[[V], R], value: V) -> R:
    try:
        return rule(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise MalformedEventError(name, str(error)) from None


def _uuid(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise ValueError(f"{value!r} is not a UUID") from None


def _tenant(value: str) -> str:
    try:
        return check_tenant(value)
    except InvalidNameError as error:
        raise ValueError(error.message) from None


def _timestamp(value: str) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is not an ISO 8601 time") from None
    return value


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        shown = text if len(text) <= 20 else f"{text[:20]}…"
        raise ValueError(f"{shown} is larger than any number JSON readers agree on")
    return value


def _finite_integer(text: str) -> int:
    _finite(text)
    return int(text)
