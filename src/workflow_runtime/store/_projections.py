"""Projection records on their way into Redis and back as timelines. Private to the stores; pure."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from workflow_runtime.core.projection import ProjectionRecord
from workflow_runtime.store._rows import dump
from workflow_runtime.store._run_rows import TERMINAL_STATUSES, RunRow, TimelineRow
from workflow_runtime.store.connection import millis

_RUN_FIELDS: Final = frozenset(
    {"status", "currentStepPath", "currentWait", "stepCount", "startedAt", "endedAt", "error"}
)
"""Fields of a run record that change the row; the others repeat what never changes."""


def batch_json(records: Sequence[ProjectionRecord]) -> str:
    """The argument of lua/run_apply.lua: records in order of ``seq`` with every value as text."""
    return dump([_entry(record) for record in sorted(records, key=lambda record: record.seq)], "projection batch")


def _entry(record: ProjectionRecord) -> dict[str, Any]:
    text = record_text(record)
    entry: dict[str, Any] = {"seq": record.seq, "text": text, "at": record.at}
    return entry | row_change(json.loads(text)["fields"], record.at) if record.kind == "run" else entry


def record_text(record: ProjectionRecord) -> str:
    """A record as it is kept. Half a surrogate pair, which JSON readers refuse, becomes a question mark."""
    values = {"seq": record.seq, "kind": record.kind, "key": record.key, "fields": record.fields, "at": record.at}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()


def row_change(told: Mapping[str, Any], at: str) -> dict[str, Any]:
    """What the fields of a run record, as JSON gives them back, change in the row: ``{set, clear, status?, endedAt?,
    endedMs?}``."""
    fields = {name: value for name, value in told.items() if name in _RUN_FIELDS}
    status = fields.pop("status", None)
    change: dict[str, Any] = {
        "set": RunRow.encode(fields),
        "clear": [name for name, value in fields.items() if value is None],
    }
    if status in TERMINAL_STATUSES:
        ended_at = fields.get("endedAt") or at
        change |= {"endedAt": ended_at, "endedMs": str(millis(ended_at))}
    return change | {"status": status} if status else change


def fold(records: Iterable[ProjectionRecord]) -> tuple[TimelineRow, ...]:
    """One row for each step, wait, action and log, in order of first appearance; ``records`` in order of ``seq``."""
    rows: dict[tuple[str, str], list[ProjectionRecord]] = {}
    for record in records:
        if record.kind != "run":
            rows.setdefault((record.kind, record.key), []).append(record)
    return tuple(_fold_row(group) for group in rows.values())


def _fold_row(group: Sequence[ProjectionRecord]) -> TimelineRow:
    first, last = group[0], group[-1]
    merged = {name: value for record in group for name, value in record.fields.items()}
    return TimelineRow(
        kind=cast(Any, first.kind),
        key=first.key,
        fields={name: value for name, value in merged.items() if value is not None},
        first_seq=first.seq,
        last_seq=last.seq,
        first_at=first.at,
        last_at=last.at,
    )


def parse_records(texts: Iterable[str]) -> Iterator[ProjectionRecord]:
    """The records that `record_text` wrote."""
    return (ProjectionRecord.model_validate_json(text) for text in texts)
