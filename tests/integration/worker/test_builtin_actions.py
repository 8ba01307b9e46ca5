"""The built-in actions through the dispatcher on a real Redis: specs, handlers and stores fit together."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from tests.fixtures.authored import NoSecrets

from workflow_runtime.core.actions import BUILTIN_SPECS, idempotency_key
from workflow_runtime.core.contract import ActionContext, ActionRequest
from workflow_runtime.service.action_dispatch import ActionDispatcher
from workflow_runtime.store.ledger import ActionLedger
from workflow_worker.actions import builtin_actions


class Actions:
    """Calls actions as the activity does; every call is a step of its own unless ``step`` says otherwise."""

    def __init__(self, dispatcher: ActionDispatcher) -> None:
        self._dispatcher = dispatcher
        self._steps = 0

    async def call(self, action_id: str, given: Any, *, step: str | None = None) -> Any:
        self._steps += 1
        path = step or f"root.steps[{self._steps}]"
        key = idempotency_key(tenant_id="acme", run_id="r", item_path=path, action_id=action_id, version=1, input=given)
        context = ActionContext(run_id="r", step_path=path, tenant_id="acme", attempt=1, now_iso="2026-01-01T00:00:00Z")
        request = ActionRequest(action_id=action_id, version=1, input=given, idempotency_key=key, context=context)
        return await ActivityEnvironment().run(self._dispatcher.execute, request)


@pytest.fixture
async def actions(redis_client: Redis) -> AsyncIterator[Actions]:
    async with builtin_actions(redis_client, allowed_hosts=()) as served:
        assert {action.spec.id for action in served} == {spec.id for spec in BUILTIN_SPECS}
        yield Actions(ActionDispatcher(served, ledger=ActionLedger(redis_client), secrets=NoSecrets()))


async def test_values_are_set_read_counted_listed_and_deleted(actions: Actions) -> None:
    where = {"namespace": "n", "key": "k"}
    assert (await actions.call("store.get", where))["found"] is False
    assert await actions.call("store.set", {**where, "value": 5, "value_type": "number", "ttl_seconds": 60}) == {
        "revision": 1,
        "created": True,
    }
    found = await actions.call("store.get", where)
    assert (found["value"], found["value_type"], found["revision"]) == (5, "number", 1)
    assert found["expires_at"].endswith("Z")
    assert await actions.call("store.increment", {**where, "by": 2}) == {"value": 7, "revision": 2}
    listed = await actions.call("store.list", {"namespace": "n"})
    assert [(item["namespace"], item["key"], item["value"]) for item in listed["items"]] == [("n", "k", 7)]
    assert await actions.call("store.list_namespaces", {}) == {"namespaces": [{"namespace": "n", "key_count": 1}]}
    assert await actions.call("store.delete", where) == {"deleted": True}


async def test_a_step_that_runs_again_increments_once(actions: Actions) -> None:
    given = {"namespace": "n", "key": "k"}
    first = await actions.call("store.increment", given, step="root.steps[0]")
    again = await actions.call("store.increment", given, step="root.steps[0]")
    other = await actions.call("store.increment", given, step="root.steps[1]")
    assert (first, again, other["value"]) == ({"value": 1, "revision": 1}, first, 2)


async def test_a_moved_revision_is_refused_with_its_code(actions: Actions) -> None:
    await actions.call("store.set", {"namespace": "n", "key": "k", "value": 1})
    with pytest.raises(ApplicationError) as refusal:
        await actions.call("store.set", {"namespace": "n", "key": "k", "value": 2, "if_revision": 0})
    assert (refusal.value.type, refusal.value.details[0]["code"]) == ("WorkflowRuntimeV2.ActionError", "CONFLICT")


async def test_links_are_made_found_from_both_ends_listed_and_removed(actions: Actions) -> None:
    left, right = {"type": "ticket", "id": "7"}, {"type": "issue", "id": "GH-1"}
    link = {"namespace": "crm", "left": left, "right": right}
    made = await actions.call("links.upsert", {**link, "relation": "tracks"})
    assert made["created"]
    forward = await actions.call("links.lookup", {"namespace": "crm", "from": left})
    assert forward["matches"] == [
        {"link_id": made["link_id"], "type": "issue", "id": "GH-1", "relation": "tracks", "attributes": {}}
    ]
    back = await actions.call("links.lookup", {"namespace": "crm", "from": right, "direction": "reverse"})
    assert [match["id"] for match in back["matches"]] == ["7"]
    listed = await actions.call("links.list", {"namespace": "crm"})
    assert [(item["left"], item["right"], item["attributes"]) for item in listed["items"]] == [(left, right, {})]
    assert await actions.call("links.list_namespaces", {}) == {"namespaces": [{"namespace": "crm", "link_count": 1}]}
    assert await actions.call("links.delete", {"namespace": "crm", "left": left}) == {"deleted_count": 1}


async def test_a_notification_reaches_each_user_once(actions: Actions) -> None:
    given = {"recipients": {"user_ids": ["a", "b", "a"]}, "title": "T", "body": "B", "dedupe_key": "d"}
    first = await actions.call("notifications.send_in_app", given)
    again = await actions.call("notifications.send_in_app", given)
    assert (first["delivered_count"], again) == (2, first)


async def test_transforms_compute(actions: Actions) -> None:
    assert await actions.call("transform.uppercase_text", {"text": "ab"}) == {"text": "AB"}


async def test_input_that_does_not_fit_is_refused_before_anything_happens(actions: Actions) -> None:
    with pytest.raises(ApplicationError) as refusal:
        await actions.call("store.set", {"namespace": "n"})
    assert refusal.value.details[0]["code"] == "ACTION_INPUT_INVALID"


async def test_a_host_that_is_not_allowed_is_refused(actions: Actions) -> None:
    with pytest.raises(ApplicationError) as refusal:
        await actions.call("http.request", {"url": "https://example.org/"})
    assert refusal.value.details[0]["code"] == "HOST_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("action_id", "example"),
    [(spec.id, example) for spec in BUILTIN_SPECS for example in spec.examples if spec.id.startswith("transform.")],
)
async def test_the_examples_of_the_transforms_are_true(actions: Actions, action_id: str, example: Any) -> None:
    assert await actions.call(action_id, example["input"]) == example["output"]
