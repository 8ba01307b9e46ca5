"""The records from which run, step, wait, action and log rows are built. Importable anywhere; pure data.

The machine numbers them in one sequence per run which continues through checkpoints, so whoever stores them applies
each ``seq`` once. A record changes only the fields it carries: the store merges ``fields`` into the row ``(kind, key)``
and leaves the others as they are; a field with the value null clears it. Values have passed ``core.redaction`` before.

Rows, their keys and their fields (times are ISO 8601 UTC, paths as in the definition, ``itemPath`` with loop indexes;
``error`` is a ``Failure`` record)::

    run     runId               status RUNNING|WAITING|SUCCEEDED|FAILED|CANCELED, workflowId, workflowVersion,
                                definitionHash, currentStepPath, currentWait (a wait's key), startedAt, endedAt,
                                durationMs, error, stepCount
    step    itemPath#attempt    status STARTED|SUCCEEDED|FAILED|RETRY_SCHEDULED|CANCELED, stepId, stepType, stepPath,
                                itemPath, itemIndexes, attempt, startedAt, endedAt, durationMs, error, nextAttemptAt,
                                childRunId
    wait    waitId              type event|time|human|quota, status WAITING|RESOLVED|TIMED_OUT|CANCELED, stepId,
                                stepPath, itemPath, attempt, eventName, correlationKey, filters, since, timeoutAt,
                                dueAt, taskId, taskType, title, reason, eventId, startedAt, endedAt
    action  itemPath#attempt    status STARTED|SUCCEEDED|FAILED|CANCELED, actionId, version, taskQueue, idempotencyKey,
                                stepId, stepPath, itemPath, attempt, startedAt, endedAt, durationMs, error
    log     the record's seq    level warning, message, stepPath, itemPath, error

A pure step starts and ends in the same instant and gives one record; every other step gives one when it starts and one
when it ends. Inputs and outputs of actions are not here: the action ledger holds them under ``idempotencyKey``.
"""

from typing import Any, Literal

from pydantic import Field

from workflow_runtime.core.wire import WireModel

type ProjectionKind = Literal["run", "step", "wait", "action", "log"]


class ProjectionRecord(WireModel):
    """One change of one row. ``seq`` counts from 1 within the run, ``at`` is workflow time (ISO 8601 UTC)."""

    seq: int = Field(ge=1)
    kind: ProjectionKind
    key: str
    fields: dict[str, Any]
    at: str
