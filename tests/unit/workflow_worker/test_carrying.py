"""What an action carries arrives as it left, in a fraction of its size."""

import json

from hypothesis import given
from hypothesis import strategies as st

from workflow_runtime.core.projection import ProjectionRecord
from workflow_worker.carrying import pack, unpack
from workflow_worker.records import ClosedWait, SyncRequest

AT = "2026-11-22T10:00:00.000Z"
PLACE = {"stepPath": "root.steps[3]", "itemPath": "root.steps[3]"}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def _record(seq: int, kind: str, **fields: object) -> ProjectionRecord:
    return ProjectionRecord(seq=seq, kind=kind, key="root.steps[3]#1", fields=fields, at=AT)  # type: ignore[arg-type]


def _request(*records: ProjectionRecord, **fields: object) -> SyncRequest:
    return SyncRequest(
        tenant_id="acme",
        run_id="r",
        workflow_id="w",
        workflow_version=1,
        definition_hash="0" * 64,
        records=records,
        **fields,  # type: ignore[arg-type]
    )


TYPICAL = _request(
    _record(1, "action", status="SUCCEEDED", endedAt=AT, durationMs=12),
    _record(2, "step", status="SUCCEEDED", endedAt=AT, durationMs=12),
    _record(3, "step", status="STARTED", stepId="a", stepType="action.call", **PLACE, attempt=1, startedAt=AT),
    _record(4, "run", status="RUNNING", currentStepPath="root.steps[3]", currentWait=None),
    _record(5, "action", status="STARTED", actionId="store.set", version=1, **PLACE, attempt=1, startedAt=AT),
)


def test_what_one_action_carries_is_small() -> None:
    assert unpack(pack(TYPICAL)) == TYPICAL
    assert len(pack(TYPICAL)) < len(TYPICAL.model_dump_json()) / 4


@given(st.dictionaries(st.text(), VALUES), st.none() | st.text())
def test_any_record_and_closed_wait_arrive_as_they_left(fields: dict[str, object], event_id: str | None) -> None:
    request = _request(
        ProjectionRecord(seq=1, kind="log", key="k", fields=fields, at=AT),
        closed_waits=(ClosedWait(wait_id="w", event_id=event_id),),
    )
    assert unpack(pack(request)) == request


def test_plain_json_is_read_as_well() -> None:
    assert unpack(json.loads(TYPICAL.model_dump_json(by_alias=True))) == TYPICAL
    assert unpack(TYPICAL) == TYPICAL


def test_what_was_packed_before_can_be_read_for_ever() -> None:
    packed = bytes.fromhex(
        "783fa2b818d4cd96cd0e40400c849fc86177791357071167091227efae6da86eb41bec0137bf99e9cc7e36824cdb01884fd0"
        "e08fe53048d2177121891af87ad68122dea02ad8c1aa18a0c93857785fbb6832311e9c8f46a9bdc0fdf3dc3f8c0e8c5cdaf7"
        "03912147242f113448bd68c1269e3ca058b0cb4eb79265d7031065d71fd80951b279092db1daec806e328c1ca419965458b1"
        "429b61b6489561d33c8cb0d7e871d3256186b15d79f3413acdba015e755237"
    )
    assert unpack(packed) == TYPICAL
