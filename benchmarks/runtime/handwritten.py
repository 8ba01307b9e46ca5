"""The measured workflows as a Temporal programmer would write them. Workflow code: it runs in the same sandbox."""

from datetime import timedelta
from typing import Any, Final

from temporalio import workflow

QUEUE: Final = "bench-handwritten"
ACTIONS: Final = 20
_LIMIT: Final = timedelta(minutes=15)


@workflow.defn(name="trim")
class Trim:
    """Twenty activities that compute something."""

    @workflow.run
    async def run(self, payload: dict[str, Any]) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for number in range(ACTIONS):
            answers[f"answer{number}"] = await workflow.execute_activity(
                "trim_text", {"text": payload["text"]}, start_to_close_timeout=_LIMIT
            )
        return {"payload": payload, "vars": answers}


@workflow.defn(name="trim-local")
class TrimLocal:
    """The same by local activities, one after the other within one workflow task."""

    @workflow.run
    async def run(self, payload: dict[str, Any]) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for number in range(ACTIONS):
            answers[f"answer{number}"] = await workflow.execute_local_activity(
                "trim_text", {"text": payload["text"]}, start_to_close_timeout=_LIMIT
            )
        return {"payload": payload, "vars": answers}


@workflow.defn(name="set")
class Set:
    """Twenty activities that write."""

    @workflow.run
    async def run(self, payload: dict[str, Any]) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for number in range(ACTIONS):
            request = {"namespace": "bench", "key": workflow.info().workflow_id, "value": payload, "operation": number}
            answers[f"answer{number}"] = await workflow.execute_activity(
                "set_value", request, start_to_close_timeout=_LIMIT
            )
        return {"payload": payload, "vars": answers}


@workflow.defn(name="none")
class Nothing:
    """Begins and ends."""

    @workflow.run
    async def run(self, payload: dict[str, Any]) -> dict[str, Any]:
        return {"payload": payload, "vars": {"last": 1}}


@workflow.defn(name="waits")
class Waits:
    """Waits for an event, then does one activity."""

    def __init__(self) -> None:
        self._events: list[dict[str, Any]] = []

    @workflow.run
    async def run(self, payload: dict[str, Any]) -> dict[str, Any]:
        await workflow.wait_condition(lambda: bool(self._events))
        answer = await workflow.execute_activity("trim_text", {"text": payload["text"]}, start_to_close_timeout=_LIMIT)
        return {"payload": payload, "vars": {"event": self._events[0], "answer0": answer}}

    @workflow.signal(name="workflowRuntimeV2Event")
    def on_event(self, event: dict[str, Any]) -> None:
        self._events.append(event)


WORKFLOWS: Final = (Trim, TrimLocal, Set, Nothing, Waits)
