"""Rows from what a replay tells: nothing missing, nothing open in a run that is over."""

from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from workflow_runtime.core.contract import RunInput
from workflow_runtime.core.projection import ProjectionKind, ProjectionRecord
from workflow_runtime.store.restoring import Ended
from workflow_worker.rebuild.endings import interrupted
from workflow_worker.rebuild.errors import NotReplayableError
from workflow_worker.rebuild.histories import RunHistories
from workflow_worker.rebuild.replaying import Told, settled
from workflow_worker.rebuild.rows import restored_run
from workflow_worker.records import LoadedRun, SyncRequest

AT = "2026-01-01T00:00:01.000Z"
END = "2026-01-01T00:01:00.000Z"
LOADED = LoadedRun(
    definition={}, definition_hash="0" * 64, action_queues={}, run_started_ms=1, runtime_semantics_version=1
)


def record(seq: int, kind: ProjectionKind, key: str, **fields: Any) -> ProjectionRecord:
    return ProjectionRecord(seq=seq, kind=kind, key=key, fields=fields, at=AT)


def told(*records: ProjectionRecord) -> Told:
    request = SyncRequest(
        tenant_id="acme",
        run_id="r1",
        workflow_id="w",
        workflow_version=1,
        definition_hash="0" * 64,
        records=records,
    )
    return Told(loaded=LOADED, synced=[request, request])


def histories() -> RunHistories:
    run = RunInput(run_id="r1", tenant_id="acme", workflow_id="w", workflow_version=1)
    return RunHistories(run, (WorkflowHistory("workflow-runtime-v2:run:r1", [HistoryEvent(event_id=1)]),))


def test_a_record_told_twice_stands_once() -> None:
    run = restored_run(histories(), told(record(1, "log", "1"), record(2, "log", "2")), None, None)
    assert [item.seq for item in run.records] == [1, 2]
    assert (run.row.created_at, run.row.root_run_id) == ("1970-01-01T00:00:00.001Z", "r1")


def test_a_missing_record_is_named_instead_of_left_out() -> None:
    with pytest.raises(NotReplayableError, match="does not tell record 2"):
        restored_run(histories(), told(record(1, "log", "1"), record(3, "log", "3")), None, None)


def test_what_an_interrupted_run_left_open_ends_with_it() -> None:
    records = [
        record(1, "step", "a#1", status="RETRY_SCHEDULED", startedAt=AT),
        record(2, "step", "a#2", status="STARTED", startedAt=AT),
        record(3, "action", "a#2", status="STARTED", startedAt=AT),
        record(4, "wait", "w", status="WAITING", startedAt=AT),
        record(5, "wait", "v", status="RESOLVED"),
        record(6, "log", "6", message="m"),
    ]
    ended = list(interrupted(records, END))
    assert [(item.seq, item.kind, item.key) for item in ended] == [
        (7, "step", "a#2"),
        (8, "action", "a#2"),
        (9, "wait", "w"),
    ]
    assert all((item.fields["status"], item.fields["endedAt"]) == ("CANCELED", END) for item in ended)
    assert [item.fields.get("durationMs") for item in ended] == [59000, 59000, None]


def test_a_run_that_says_how_it_ended_is_not_interrupted() -> None:
    records = (record(1, "step", "a#1", status="STARTED"), record(2, "run", "r1", status="FAILED", endedAt=AT))
    run = restored_run(histories(), told(*records), Ended("FAILED", END), None)
    assert run.records == records


def test_what_no_finished_workflow_task_has_decided_is_not_replayed() -> None:
    finished = HistoryEvent(event_id=4, event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    decided = HistoryEvent(event_id=6, event_type=EventType.EVENT_TYPE_TIMER_STARTED)
    decided.timer_started_event_attributes.workflow_task_completed_event_id = 4
    others = [HistoryEvent(event_id=number) for number in (1, 2, 3, 5, 7, 8)]
    events = sorted([finished, decided, *others], key=lambda event: event.event_id)
    assert [event.event_id for event in settled(WorkflowHistory("w", events)).events] == [1, 2, 3, 4, 5, 6]
    assert settled(WorkflowHistory("w", others[:3])).events == []
