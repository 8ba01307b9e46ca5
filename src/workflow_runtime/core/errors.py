"""Every error of the authored runtime and the failure record that crosses process boundaries. Importable anywhere.

Hierarchy::

    RuntimeFailureError          carries a Failure (category, code, message, path)
      ValidationFailure          ExpressionFailure     TransientFailure    ActionFailure
      TimeoutFailure             QuotaExceededFailure  ChildWorkflowFailure
      CancellationFailure        CorruptionFailure

Cancellation is decided by this type (and Temporal's own cancellation types), never by reading a message.
"""

from enum import StrEnum
from typing import Any, ClassVar, Final

from workflow_runtime.core.wire import WireModel


class Category(StrEnum):
    """What kind of thing went wrong; the value is the wire name."""

    VALIDATION = "ValidationError"
    EXPRESSION = "ExpressionError"
    TRANSIENT = "TransientError"
    ACTION = "ActionError"
    TIMEOUT = "TimeoutError"
    QUOTA = "QuotaExceeded"
    CHILD_WORKFLOW = "ChildWorkflowError"
    CANCELLATION = "Cancellation"
    CORRUPTION = "InterpreterCorruption"


class Failure(WireModel):
    """One failure as it stands in ``error``, projections, the API and Temporal failure details.

    ``node_path`` is the step path and ``at`` the ISO 8601 time; both are filled in by the machine when a step fails.
    """

    category: Category
    code: str | None = None
    message: str
    details: Any = None
    node_path: str | None = None
    at: str | None = None


class RuntimeFailureError(Exception):
    """A failure with a category; subclasses fix the category."""

    category: ClassVar[Category]

    def __init__(self, message: str, *, code: str | None = None, details: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.details = details

    def to_failure(self) -> Failure:
        """The transportable record, without path and time."""
        return Failure(category=self.category, code=self.code, message=self.message, details=self.details)


class ValidationFailure(RuntimeFailureError):
    """A value did not have the shape a schema or the runtime requires."""

    category = Category.VALIDATION


class ExpressionFailure(RuntimeFailureError):
    """An expression was refused, failed, exceeded its budget or gave no value."""

    category = Category.EXPRESSION


class TransientFailure(RuntimeFailureError):
    """Something outside failed in a way that may pass."""

    category = Category.TRANSIENT


class ActionFailure(RuntimeFailureError):
    """An action refused or failed."""

    category = Category.ACTION


class TimeoutFailure(RuntimeFailureError):
    """A wait or an action took longer than it may."""

    category = Category.TIMEOUT


class QuotaExceededFailure(RuntimeFailureError):
    """A quota is used up; the run may be resumed by the quota signal."""

    category = Category.QUOTA


class ChildWorkflowFailure(RuntimeFailureError):
    """A child run failed or could not be started."""

    category = Category.CHILD_WORKFLOW


class CancellationFailure(RuntimeFailureError):
    """The run was cancelled; no step may catch this."""

    category = Category.CANCELLATION


class CorruptionFailure(RuntimeFailureError):
    """The interpreter met a state that cannot be; no step may catch this."""

    category = Category.CORRUPTION


_BY_CATEGORY: Final[dict[Category, type[RuntimeFailureError]]] = {
    kind.category: kind
    for kind in (
        ValidationFailure,
        ExpressionFailure,
        TransientFailure,
        ActionFailure,
        TimeoutFailure,
        QuotaExceededFailure,
        ChildWorkflowFailure,
        CancellationFailure,
        CorruptionFailure,
    )
}


def failure_error(failure: Failure) -> RuntimeFailureError:
    """The exception that carries ``failure``, without path and time; the inverse of ``to_failure``."""
    return _BY_CATEGORY[failure.category](failure.message, code=failure.code, details=failure.details)
