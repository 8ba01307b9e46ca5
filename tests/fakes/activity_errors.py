"""The error a workflow is given for an activity that failed. Tests only."""

from temporalio.exceptions import ActivityError, RetryState

from workflow_runtime.core.contract import ACTION_ACTIVITY


def activity_error(cause: BaseException) -> ActivityError:
    """As Temporal makes it of what the activity ended in."""
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=5,
        started_event_id=6,
        identity="i",
        activity_type=ACTION_ACTIVITY,
        activity_id="1",
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )
    error.__cause__ = cause
    return error
