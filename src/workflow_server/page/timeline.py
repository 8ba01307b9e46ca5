"""The timeline of a run as the operator page shows it: one entry per execution of a step, in order. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from workflow_runtime.store.runs import TERMINAL_STATUSES, RunDetail, TimelineRow


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. ``offset`` is the time since the run began, ``depth`` how many blocks the step stands in."""

    seq: int
    at: str
    offset: str
    title: str
    kind: str
    status: str | None
    path: str
    depth: int = 0
    attempt: int = 1
    item: str | None = None
    took: str = ""
    lines: list[str] = field(default_factory=list)
    fault: str | None = None
    child_run: str | None = None


def timeline(detail: RunDetail) -> list[Entry]:
    """Steps with the waits and actions that belong to them, and the log lines between."""
    begin = detail.run.started_at or detail.run.created_at
    waits = _by_execution(detail.waits)
    actions = {row.key: row for row in detail.actions}
    tried = {_execution(row) for row in detail.steps}
    over = detail.run.status in TERMINAL_STATUSES
    entries = [_step(row, waits.get(_execution(row)), actions.get(row.key), begin, tried, over) for row in detail.steps]
    entries += [_log(row, begin) for row in detail.logs]
    return sorted(entries, key=lambda entry: entry.seq)


def _execution(row: TimelineRow) -> tuple[Any, Any]:
    return row.fields.get("itemPath"), row.fields.get("attempt", 1)


def _by_execution(rows: tuple[TimelineRow, ...]) -> dict[tuple[Any, Any], TimelineRow]:
    return {_execution(row): row for row in rows}


def _step(
    row: TimelineRow,
    wait: TimelineRow | None,
    action: TimelineRow | None,
    begin: str | None,
    tried: Collection[tuple[Any, Any]],
    over: bool,
) -> Entry:
    fields = row.fields
    at = str(fields.get("startedAt") or row.first_at)
    status = _status(row, wait, tried, over)
    return Entry(
        seq=row.first_seq,
        at=at,
        offset=offset(begin, at),
        title=str(fields.get("stepId") or row.key),
        kind=str(fields.get("stepType") or "step"),
        status=status,
        path=str(fields.get("itemPath") or fields.get("stepPath") or ""),
        depth=max(str(fields.get("stepPath") or "").count("steps[") - 1, 0),
        attempt=int(fields.get("attempt") or 1),
        item=", ".join(str(index + 1) for index in fields.get("itemIndexes") or ()) or None,
        took=duration(fields.get("durationMs") or None),
        lines=[*_wait_lines(wait), *_action_lines(action), *_retry_lines(status, fields)],
        fault=_fault(fields.get("error")),
        child_run=fields.get("childRunId"),
    )


def _status(row: TimelineRow, wait: TimelineRow | None, tried: Collection[tuple[Any, Any]], over: bool) -> str | None:
    status: str | None = row.fields.get("status")
    item_path, attempt = _execution(row)
    if status == "RETRY_SCHEDULED" and (item_path, attempt + 1) in tried:
        return "RETRIED"
    if status == "RETRY_SCHEDULED" and over:
        # The run ended before the next attempt began.
        return "FAILED"
    if status == "STARTED" and wait is not None and wait.fields.get("status") == "WAITING":
        return "WAITING"
    return status


def _wait_lines(row: TimelineRow | None) -> Iterator[str]:
    if row is None:
        return
    fields = row.fields
    match fields.get("type"):
        case "event":
            key = fields.get("correlationKey")
            yield f"Event {fields.get('eventName')}, " + ("any key" if key is None else f"key {key}")
        case "time":
            yield f"Until {fields.get('dueAt')}"
        case "human":
            yield f"Task “{fields.get('title')}”"
        case "quota":
            yield f"Quota: {fields.get('reason')}"
    if fields.get("eventId"):
        yield f"Resolved by event {fields['eventId']}"
    if fields.get("status") == "WAITING" and fields.get("timeoutAt"):
        yield f"Gives up at {fields['timeoutAt']}"


def _action_lines(row: TimelineRow | None) -> Iterator[str]:
    if row is not None:
        fields = row.fields
        yield f"{fields.get('actionId')} v{fields.get('version')} on {fields.get('taskQueue')}"


def _retry_lines(status: str | None, fields: Mapping[str, Any]) -> Iterator[str]:
    if status == "RETRY_SCHEDULED" and fields.get("nextAttemptAt"):
        yield f"Next attempt at {fields['nextAttemptAt']}"


def _fault(error: Any) -> str | None:
    if not isinstance(error, Mapping):
        return None
    name = " · ".join(str(part) for part in (error.get("category"), error.get("code")) if part)
    return f"{name}: {error.get('message')}"


def _log(row: TimelineRow, begin: str | None) -> Entry:
    fields = row.fields
    return Entry(
        seq=row.first_seq,
        at=row.first_at,
        offset=offset(begin, row.first_at),
        title=str(fields.get("message") or ""),
        kind=str(fields.get("level") or "log"),
        status=None,
        path=str(fields.get("itemPath") or fields.get("stepPath") or ""),
        fault=_fault(fields.get("error")),
    )


def offset(begin: str | None, at: str) -> str:
    """Time from ``begin`` to ``at``.

    >>> offset("2025-03-03T10:00:00.000Z", "2025-03-03T10:00:01.250Z")
    '+1.25 s'
    """
    if begin is None:
        return ""
    milliseconds = round((_time(at) - _time(begin)).total_seconds() * 1000)
    return f"+{duration(max(milliseconds, 0))}"


def duration(milliseconds: Any) -> str:
    """A span for people.

    >>> [duration(ms) for ms in (None, 7, 1250, 61_000, 7_500_000, 200_000_000)]
    ['', '7 ms', '1.25 s', '1 min 1 s', '2 h 5 min', '2 d 7 h']
    """
    if not isinstance(milliseconds, int | float):
        return ""
    seconds = milliseconds / 1000
    if seconds < 1:
        return f"{milliseconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
