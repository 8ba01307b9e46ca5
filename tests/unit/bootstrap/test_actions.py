"""The app actions as the dispatcher sees them: input to service, answer to output; wiring always serves both."""

from typing import Any

import pytest
from tests.fakes.app_services import KeptEmails, ScriptedInference

from workflow_runtime.bootstrap import APP_SPECS, Inference, app_actions
from workflow_runtime.bootstrap.actions import serve_ai_infer, serve_email_send
from workflow_runtime.core.actions import validate_json
from workflow_runtime.core.contract import APP_ACTION_QUEUE, ActionContext
from workflow_runtime.core.errors import ActionFailure
from workflow_runtime.service.action_dispatch import ActionCall

CONTEXT = ActionContext(
    run_id="r1", step_path="root.steps[0]", tenant_id="acme", attempt=1, now_iso="2025-03-03T10:00:00.000Z"
)


def call(value: dict[str, Any], *, key: str = "acme:r1:root.steps[0]") -> ActionCall:
    return ActionCall(input=value, idempotency_key=key, context=CONTEXT)


async def test_an_inference_gives_the_answer_itself() -> None:
    service = ScriptedInference(Inference({"priority": "high"}, "m"))
    output = await serve_ai_infer(service).handler(
        call({"prompt": "p", "outputSchema": {"type": "object"}, "maxOutputTokens": 5})
    )
    assert output == {"priority": "high"}
    assert (service.requests[0].prompt, service.requests[0].max_output_tokens) == ("p", 5)


async def test_every_attempt_of_a_step_sends_under_one_message_id() -> None:
    sender = KeptEmails()
    handler = serve_email_send(sender).handler
    value = {"to": "ada@example.org", "subject": "s", "text": "t"}
    first, again, other = [await handler(call(value, key=key)) for key in ("k1", "k1", "k2")]
    assert first["messageId"] == again["messageId"] != other["messageId"]


async def test_an_email_is_dated_by_workflow_time_and_takes_one_or_many_addresses() -> None:
    sender = KeptEmails()
    value = {"to": "ada@example.org", "cc": ["bob@example.org", "eve@example.org"], "subject": "s", "html": "h"}
    await serve_email_send(sender).handler(call(value))
    [draft] = sender.drafts
    assert draft.date == "Mon, 03 Mar 2025 10:00:00 +0000"
    assert (draft.to, draft.cc, draft.bcc) == (("ada@example.org",), ("bob@example.org", "eve@example.org"), ())


async def test_unconfigured_actions_are_served_and_say_what_is_missing() -> None:
    inputs: list[dict[str, Any]] = [
        {"prompt": "p", "outputSchema": {"type": "object"}},
        {"to": "a@b.c", "subject": "s", "text": "t"},
    ]
    async with app_actions(None, None) as actions:
        codes = []
        for action, value in zip(actions, inputs, strict=True):
            with pytest.raises(ActionFailure) as caught:
                await action.handler(call(value))
            codes.append(caught.value.code)
    assert [action.spec for action in actions] == list(APP_SPECS)
    assert codes == ["AI_NOT_CONFIGURED", "EMAIL_NOT_CONFIGURED"]


@pytest.mark.parametrize("spec", APP_SPECS, ids=lambda spec: spec.id)
def test_the_examples_of_a_spec_fit_its_schemas(spec: Any) -> None:
    assert spec.task_queue == APP_ACTION_QUEUE
    for example in spec.examples:
        assert validate_json(spec.input_schema, example["input"]) == []
        assert validate_json(spec.output_schema, example["output"]) == []


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (0, {"prompt": "p"}),
        (0, {"prompt": "p", "outputSchema": {"type": "array"}}),
        (0, {"prompt": "p", "outputSchema": {"type": "object"}, "apiKey": "k"}),
        (1, {"to": "a@b.c", "subject": "s"}),
        (1, {"to": [], "subject": "s", "text": "t"}),
        (1, {"to": "a@b.c", "subject": "s\r\nBcc: eve@example.org", "text": "t"}),
    ],
)
def test_input_that_no_service_should_see_is_refused_by_the_schema(index: int, value: dict[str, Any]) -> None:
    assert validate_json(APP_SPECS[index].input_schema, value) != []
