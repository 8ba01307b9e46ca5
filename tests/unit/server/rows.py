"""Run details for tests of what is made from them."""

from typing import Any, Literal

from workflow_runtime.store.runs import RunDetail, RunRow, TimelineRow

BEGIN = "2025-03-03T10:00:00.000Z"


def run(**fields: Any) -> RunRow:
    """A run that began at BEGIN."""
    told: dict[str, Any] = {
        "run_id": "r1",
        "tenant_id": "acme",
        "workflow_id": "greeting",
        "workflow_version": 1,
        "definition_hash": "h",
        "started_at": BEGIN,
    }
    return RunRow(**(told | fields))


def row(kind: Literal["step", "wait", "action", "log"], key: str, seq: int = 1, **fields: Any) -> TimelineRow:
    """A row with the fields of its records by their wire names."""
    return TimelineRow(kind=kind, key=key, fields=fields, first_seq=seq, last_seq=seq, first_at=BEGIN, last_at=BEGIN)


def detail(*rows: TimelineRow, **fields: Any) -> RunDetail:
    """A detail of these rows."""
    by_kind = {kind: tuple(item for item in rows if item.kind == kind) for kind in ("step", "wait", "action", "log")}
    return RunDetail(
        run=run(**fields),
        steps=by_kind["step"],
        waits=by_kind["wait"],
        actions=by_kind["action"],
        logs=by_kind["log"],
        child_run_ids=(),
    )
