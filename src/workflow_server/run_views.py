"""Runs as the API and the page show them. Pure; process code and tests."""

from collections.abc import Iterable
from typing import Any

from workflow_runtime.core.redaction import redact
from workflow_runtime.store.ledger import LedgerEntry
from workflow_runtime.store.runs import RunDetail, RunRow, TimelineRow
from workflow_server.waiting import Queued, waiting_for


def run_summary(row: RunRow) -> dict[str, Any]:
    """The row by its wire names, without the payload, which has its own place in the detail."""
    return row.model_dump(mode="json", by_alias=True, exclude={"payload", "seq"})


def run_detail(detail: RunDetail, payload: Any, queue: Queued | None = None) -> dict[str, Any]:
    """``{run, waitingFor, steps, waits, actions, logs, childRunIds, payload}``; the payload is redacted."""
    return {
        "run": run_summary(detail.run),
        "waitingFor": [item.model_dump(mode="json", by_alias=True) for item in waiting_for(detail, queue)],
        "steps": [_row(row) for row in detail.steps],
        "waits": [_row(row) for row in detail.waits],
        "actions": [_row(row) for row in detail.actions],
        "logs": [_row(row) for row in detail.logs],
        "childRunIds": list(detail.child_run_ids),
        "payload": redact(payload),
    }


def action_views(entries: Iterable[LedgerEntry]) -> list[dict[str, Any]]:
    """Ledger entries by their wire names, redacted."""
    return [redact(entry.model_dump(mode="json", by_alias=True)) for entry in entries]


def _row(row: TimelineRow) -> dict[str, Any]:
    return {"key": row.key, "seq": row.first_seq, "at": row.first_at, "changedAt": row.last_at, **row.fields}
