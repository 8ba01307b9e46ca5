"""What a run has to tell stays until it was written down."""

from typing import Any

from workflow_runtime.core.contract import RunInput
from workflow_runtime.core.projection import ProjectionRecord
from workflow_worker.outbox import CARRIED_RECORDS, Outbox, RecordSource, is_small
from workflow_worker.records import ClosedTask, LoadedRun, SyncRequest


class Records(RecordSource):
    """A machine that makes ``count`` records each time it is told to."""

    def __init__(self) -> None:
        self._made: list[ProjectionRecord] = []
        self._seq = 0

    def make(self, count: int) -> None:
        for _ in range(count):
            self._seq += 1
            self._made.append(ProjectionRecord(seq=self._seq, kind="log", key=str(self._seq), fields={}, at="now"))

    def take_projections(self) -> list[ProjectionRecord]:
        taken, self._made = self._made, []
        return taken


def _outbox(records: Records) -> Outbox:
    run = RunInput(run_id="r", tenant_id="acme", workflow_id="wf", workflow_version=1)
    loaded = LoadedRun(
        definition={}, definition_hash="h", action_queues={}, run_started_ms=0, runtime_semantics_version=1
    )
    return Outbox(run, loaded, records)


def _seqs(request: SyncRequest | None) -> list[int]:
    assert request is not None
    return [record.seq for record in request.records]


def test_nothing_to_tell_is_no_request() -> None:
    assert _outbox(Records()).collect() is None
    ended = _outbox(Records()).collect(ended=True)
    assert ended is not None
    assert ended.ended


def test_what_was_not_delivered_is_told_again_before_what_is_new() -> None:
    records = Records()
    outbox = _outbox(records)
    records.make(2)
    outbox.close_wait("w", "e")
    assert _seqs(outbox.collect()) == [1, 2]
    records.make(1)
    again = outbox.collect()
    assert _seqs(again) == [1, 2, 3]
    assert again is not None
    assert [(wait.wait_id, wait.event_id) for wait in again.closed_waits] == [("w", "e")]
    outbox.delivered()
    assert outbox.collect() is None


def test_an_action_carries_little_and_no_response_of_a_person() -> None:
    def request(count: int, **task: Any) -> SyncRequest:
        records = Records()
        outbox = _outbox(records)
        records.make(count)
        if task:
            outbox.close_task(ClosedTask(task_id="t", answered=True, **task))
        collected = outbox.collect()
        assert collected is not None
        return collected

    assert is_small(request(CARRIED_RECORDS))
    assert not is_small(request(CARRIED_RECORDS + 1))
    assert not is_small(request(1, response={"text": "x"}))
