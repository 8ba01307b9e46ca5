"""Dead letters as the API shows them: redacted, while redriving keeps the bytes. Pure; process code and tests."""

from typing import Any, Final

from workflow_runtime.core.redaction import redact_field
from workflow_runtime.store.events import AuditEntry, DeadLetter

_LISTED: Final = 300
"""Characters of a field in a list."""
_SHOWN: Final = 1024 * 1024
"""Bytes of a field that are shown at all: as many as an event's payload may have."""


def letter_summary(letter: DeadLetter) -> dict[str, Any]:
    """A letter in a list: `letter_view` with long values cut short."""
    view = letter_view(letter)
    for field in view["fields"]:
        if len(field["value"]) > _LISTED:
            field["value"] = f"{field['value'][:_LISTED]}…"
    return view


def letter_view(letter: DeadLetter) -> dict[str, Any]:
    """``{id, reason, at, attempts, source, tenant, eventId, fields: [{name, value, bytes}]}``.

    Fields stand in their order, a repeated name each time; ``bytes`` is the size of the value as it is kept. Bytes that
    are no text show as ``\\xNN``, and of a value above 1 MiB only the beginning.
    """
    return {
        "id": letter.id,
        "reason": letter.reason,
        "at": letter.at,
        "attempts": letter.attempts,
        "source": letter.source,
        "tenant": letter.tenant,
        "eventId": letter.event_id,
        "fields": [_field(name, value) for name, value in letter.pairs],
    }


def audit_view(entry: AuditEntry) -> dict[str, Any]:
    """``{letterId, action, actor, at, why, eventId, tenant, reason, attempts, streamId}``."""
    return {
        "letterId": entry.letter_id,
        "action": entry.action,
        "actor": entry.actor,
        "at": entry.at,
        "why": entry.why,
        "eventId": entry.event_id,
        "tenant": entry.tenant,
        "reason": entry.reason,
        "attempts": entry.attempts,
        "streamId": entry.stream_id,
    }


def _field(name: bytes, value: bytes) -> dict[str, Any]:
    title = name.decode(errors="backslashreplace")
    text = redact_field(title, value[:_SHOWN].decode(errors="backslashreplace"))
    return {"name": title, "value": text if len(value) <= _SHOWN else f"{text}…", "bytes": len(value)}
