"""Human tasks as the API and the operator page show them, redacted. Pure; process code and tests."""

from typing import Any

from workflow_runtime.core.redaction import redact
from workflow_runtime.store.tasks import TaskRow


def task_view(task: TaskRow) -> dict[str, Any]:
    """The row by its wire names; what the run gave and what the person answered are without secrets."""
    view = task.model_dump(mode="json", by_alias=True)
    return view | {"contextData": redact(task.context_data), "response": redact(task.response)}
