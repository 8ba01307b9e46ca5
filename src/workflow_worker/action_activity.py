"""``executeWorkflowAction`` on the authored queue: the dispatcher, and what the run gave it to carry. Activity code."""

from typing import Any

from temporalio import activity

from workflow_runtime.core.contract import ACTION_ACTIVITY, ActionRequest
from workflow_runtime.service.action_dispatch import ActionDispatcher
from workflow_worker.carrying import unpack
from workflow_worker.run_activities import RunActivities


class ActionActivity:
    """Writes down what came along and runs the action. Callers that carry nothing give the request alone."""

    def __init__(self, dispatcher: ActionDispatcher, store: RunActivities) -> None:
        self._dispatcher = dispatcher
        self._store = store

    @activity.defn(name=ACTION_ACTIVITY)
    async def execute(self, request: ActionRequest, carried: Any = None) -> Any:
        """The action's output. Raises ApplicationError as the dispatcher does."""
        news = None if carried is None else unpack(carried)
        write = None if news is None else lambda: self._store.write(news)
        return await self._dispatcher.execute_with(_request(request), write)


def _request(value: ActionRequest | dict[str, Any]) -> ActionRequest:
    # Temporal applies the types above only when the number of arguments fits; otherwise plain JSON arrives.
    return ActionRequest.model_validate(value, strict=False)
