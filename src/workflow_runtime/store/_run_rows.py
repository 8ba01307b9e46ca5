"""Shapes of stored runs. Private to the stores (exported by store.runs); pure."""

from typing import Any, Literal

from pydantic import Field

from workflow_runtime.core.errors import Failure
from workflow_runtime.core.projection import ProjectionRecord
from workflow_runtime.core.wire import WireModel
from workflow_runtime.store._rows import HashRow

RunStatus = Literal["RUNNING", "WAITING", "SUCCEEDED", "FAILED", "CANCELED"]
TerminalStatus = Literal["SUCCEEDED", "FAILED", "CANCELED"]
TERMINAL_STATUSES = frozenset[RunStatus]({"SUCCEEDED", "FAILED", "CANCELED"})


class RunRow(HashRow):
    """One run. Times are ISO 8601 UTC; ``created_at`` and ``updated_at`` are filled in by the store when left out.

    ``payload`` is given when a run is created and is read back with `Runs.payload` only: rows that come from the store
    hold null there. ``queued_reason`` says why a start still waits (its status is then WAITING), ``current_wait`` is
    the key of the wait the run is in, ``seq`` the last projection record applied.
    """

    run_id: str
    tenant_id: str
    workflow_id: str
    workflow_version: int = Field(ge=1)
    definition_hash: str
    trigger_type: str | None = None
    trigger_event_id: str | None = None
    execution_key: str | None = None
    parent_run_id: str | None = None
    root_run_id: str | None = None
    payload: Any = None
    status: RunStatus = "RUNNING"
    queued_reason: Literal["paused", "concurrency"] | None = None
    current_step_path: str | None = None
    current_wait: str | None = None
    step_count: int | None = None
    created_at: str | None = None
    started_at: str | None = None
    updated_at: str | None = None
    ended_at: str | None = None
    error: Failure | None = None
    seq: int = 0


class RunPage(WireModel):
    """Runs, newest first; ``next_cursor`` continues the list and is null at its end."""

    runs: tuple[RunRow, ...]
    next_cursor: str | None


class Admission(WireModel):
    """What became of a start.

    ``admitted``: launch it (again, when ``created`` is false: launching is idempotent). ``queued``: it starts when
    `Runs.release` or `Runs.admit_waiting` hands it out. ``ended``: it is over, do nothing. ``created_at`` is when the
    run was recorded first.
    """

    state: Literal["admitted", "queued", "ended"]
    created: bool
    created_at: str


class Applied(WireModel):
    """What `Runs.apply_projections` did. ``known`` is false when there is no such run and nothing was written."""

    known: bool
    applied: int
    last_seq: int


class TimelineRow(WireModel):
    """A step, wait, action or log as all its records together say: the later one of two values stands."""

    kind: Literal["step", "wait", "action", "log"]
    key: str
    fields: dict[str, Any]
    first_seq: int
    last_seq: int
    first_at: str
    last_at: str


class RunDetail(WireModel):
    """A run with everything that happened in it, each list in order of first appearance."""

    run: RunRow
    steps: tuple[TimelineRow, ...]
    waits: tuple[TimelineRow, ...]
    actions: tuple[TimelineRow, ...]
    logs: tuple[TimelineRow, ...]
    child_run_ids: tuple[str, ...]


class RecordPage(WireModel):
    """Records of one run in order; continue after ``last_seq``."""

    records: tuple[ProjectionRecord, ...]
    last_seq: int
