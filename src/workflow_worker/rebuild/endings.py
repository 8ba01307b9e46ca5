"""How a run ended that did not say so itself: terminated, timed out, given up. Process code only.

A run that ends by itself writes its end first; only what happened to it from outside is read from Temporal here.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from workflow_runtime.core.errors import Category, Failure
from workflow_runtime.core.projection import ProjectionRecord
from workflow_runtime.service.failures import activity_failure
from workflow_runtime.store.connection import iso, millis
from workflow_runtime.store.restoring import Ended
from workflow_worker.rebuild.histories import moment

_OPEN = frozenset({"STARTED", "WAITING"})


async def ending(event: HistoryEvent, converter: DataConverter) -> Ended:
    """The end that a closing event tells."""
    at = iso(moment(event))
    match event.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            return Ended("SUCCEEDED", at)
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
            return Ended("CANCELED", at)
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
            return Ended("CANCELED", at, _terminated(event, at))
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
            message = "the run exceeded a time limit of Temporal; start it again without the limit"
            return Ended("FAILED", at, Failure(category=Category.TIMEOUT, code="RUN_TIMED_OUT", message=message, at=at))
    failure = await _failure(event, converter, at)
    return Ended("CANCELED" if failure.category is Category.CANCELLATION else "FAILED", at, failure)


def _terminated(event: HistoryEvent, at: str) -> Failure:
    told = event.workflow_execution_terminated_event_attributes
    reason = f": {told.reason}" if told.reason else ""
    return Failure(
        category=Category.CANCELLATION,
        code="RUN_TERMINATED",
        message=f"the run was terminated in Temporal by {told.identity or 'an unnamed client'}{reason}",
        at=at,
    )


async def _failure(event: HistoryEvent, converter: DataConverter, at: str) -> Failure:
    told = event.workflow_execution_failed_event_attributes.failure
    error = await converter.decode_failure(told)
    if isinstance(error, ApplicationError):
        failure = activity_failure(error)
        return failure if failure.at else failure.model_copy(update={"at": at})
    return Failure(category=Category.CORRUPTION, code="RUN_FAILED", message=str(error), at=at)


def interrupted(records: Iterable[ProjectionRecord], at: str) -> Iterator[ProjectionRecord]:
    """Records that end whatever ``records`` leave open, numbered after them: nothing goes on in a run that is over."""
    rows: dict[tuple[str, str], ProjectionRecord] = {}
    started: dict[tuple[str, str], str] = {}
    seq = 0
    for record in records:
        seq = record.seq
        rows[record.kind, record.key] = record
        if "startedAt" in record.fields:
            started[record.kind, record.key] = record.fields["startedAt"]
    for (kind, key), last in rows.items():
        if kind in ("step", "wait", "action") and last.fields.get("status") in _OPEN:
            seq += 1
            fields: dict[str, Any] = {"status": "CANCELED", "endedAt": at}
            if kind != "wait" and (since := started.get((kind, key))) is not None:
                fields["durationMs"] = max(millis(at) - millis(since), 0)
            yield ProjectionRecord(seq=seq, kind=last.kind, key=key, fields=fields, at=at)
