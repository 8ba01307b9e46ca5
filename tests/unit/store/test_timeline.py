"""Folding records into timeline rows."""

import json

from workflow_runtime.core.projection import ProjectionRecord
from workflow_runtime.store._projections import batch_json, fold, parse_records, record_text


def record(seq: int, kind: str, key: str, **fields: object) -> ProjectionRecord:
    return ProjectionRecord(seq=seq, kind=kind, key=key, fields=fields, at=f"2026-01-01T00:00:{seq:02}Z")  # type: ignore[arg-type]


def test_later_fields_win_others_stay_and_null_clears() -> None:
    rows = fold(
        [
            record(1, "step", "s", status="STARTED", attempt=1, nextAttemptAt="soon"),
            record(2, "wait", "s", status="WAITING"),
            record(5, "step", "s", status="SUCCEEDED", nextAttemptAt=None),
        ]
    )
    assert [(row.kind, row.first_seq, row.last_seq, row.last_at) for row in rows] == [
        ("step", 1, 5, "2026-01-01T00:00:05Z"),
        ("wait", 2, 2, "2026-01-01T00:00:02Z"),
    ]
    assert rows[0].fields == {"status": "SUCCEEDED", "attempt": 1}


def test_the_run_itself_is_no_timeline_row() -> None:
    assert fold([record(1, "run", "r1", status="RUNNING")]) == ()


def test_a_batch_is_in_order_and_holds_texts_only() -> None:
    records = [
        record(3, "run", "r1", status="SUCCEEDED", error=None, stepCount=7, workflowVersion=2),
        record(2, "log", "2", message="hi", numbers=[]),
    ]
    first, second = json.loads(batch_json(records))
    assert list(parse_records([first["text"]])) == [records[1]]
    assert "set" not in first
    assert (second["set"], second["clear"], second["status"]) == ({"stepCount": "7"}, ["error"], "SUCCEEDED")
    assert (second["endedAt"], second["endedMs"]) == ("2026-01-01T00:00:03Z", "1767225603000")


def test_records_are_read_back_as_they_were() -> None:
    written = record(1, "step", "s", list=[], object={}, big=2**70, text="😀")
    assert list(parse_records([record_text(written)])) == [written]


def test_half_a_surrogate_pair_makes_no_record_unreadable() -> None:
    (read,) = parse_records([record_text(record(1, "log", "1", message="a\ud800b"))])
    assert read.fields == {"message": "a?b"}
