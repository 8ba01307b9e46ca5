"""A failure keeps category, code and message across Temporal, whoever raised it."""

from typing import Any

import pytest
from temporalio.api.failure.v1 import Failure as ProtoFailure
from temporalio.converter import DataConverter
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
    WorkflowAlreadyStartedError,
)
from tests.fakes.activity_errors import activity_error

from workflow_runtime.core.errors import Category, Failure
from workflow_runtime.service.failures import activity_failure, application_error, child_failure, worker_was_lost


def _child_error(cause: BaseException) -> ChildWorkflowError:
    error = ChildWorkflowError(
        "Child Workflow execution failed",
        namespace="default",
        workflow_id="w",
        run_id="r",
        workflow_type="t",
        initiated_event_id=1,
        started_event_id=2,
        retry_state=None,
    )
    error.__cause__ = cause
    return error


async def _through_the_wire(error: BaseException) -> BaseException:
    converter, proto = DataConverter.default, ProtoFailure()
    await converter.encode_failure(error, proto)
    return await converter.decode_failure(proto)


@pytest.mark.parametrize("category", list(Category))
async def test_every_category_comes_back_with_code_message_and_details(category: Category) -> None:
    failure = Failure(category=category, code="SOME_CODE", message="What happened.", details={"a": [1]})
    arrived = await _through_the_wire(application_error(failure))
    assert activity_failure(activity_error(arrived)) == failure
    assert child_failure(_child_error(arrived)) == failure


@pytest.mark.parametrize("record", [None, "text", {"unexpected": 1}, {"message": 5}])
def test_a_foreign_worker_may_name_the_category_alone(record: Any) -> None:
    error = ApplicationError("No stock.", record, type="WorkflowRuntimeV2.TransientError")
    failure = activity_failure(activity_error(error))
    assert (failure.category, failure.message) == (Category.TRANSIENT, "No stock.")


def test_an_ordinary_exception_of_a_foreign_worker_is_an_action_error_with_its_type_as_code() -> None:
    failure = activity_failure(activity_error(ApplicationError("bad", type="TypeError")))
    assert (failure.category, failure.code, failure.message) == (Category.ACTION, "TypeError", "bad")


@pytest.mark.parametrize("kind", list(TimeoutType))
def test_a_timeout_says_which(kind: TimeoutType) -> None:
    error = activity_error(TimeoutError("t", type=kind, last_heartbeat_details=[]))
    failure = activity_failure(error)
    assert (failure.category, failure.code) == (Category.TIMEOUT, kind.name)
    assert worker_was_lost(error) is (kind is TimeoutType.HEARTBEAT)


def test_a_draining_worker_counts_as_lost_and_an_ordinary_failure_does_not() -> None:
    assert worker_was_lost(activity_error(ApplicationError("s", type="WorkerShutdown")))
    assert not worker_was_lost(activity_error(ApplicationError("s", type="WorkflowRuntimeV2.ActionError")))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (_child_error(CancelledError("c")), "CHILD_CANCELED"),
        (_child_error(TerminatedError("t")), "CHILD_TERMINATED"),
        (_child_error(TimeoutError("t", type=None, last_heartbeat_details=[])), "CHILD_TIMED_OUT"),
        (WorkflowAlreadyStartedError("id", "type"), "CHILD_ALREADY_STARTED"),
    ],
)
def test_a_child_that_did_not_fail_by_itself_says_how_it_ended(error: Any, code: str) -> None:
    failure = child_failure(error)
    assert (failure.category, failure.code) == (Category.CHILD_WORKFLOW, code)
