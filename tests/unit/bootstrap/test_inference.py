"""AI inference against a real HTTP endpoint on loopback: what is asked, what is answered, how each failure is typed."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.fakes.ai_endpoint import AiEndpoint, ai_endpoint, completion, problem

from workflow_runtime.bootstrap._openai import OpenAiInference, fits_strict_mode
from workflow_runtime.bootstrap.inference import AiConfig, InferenceRequest, UnconfiguredInference
from workflow_runtime.core.errors import Category, RuntimeFailureError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"priority": {"enum": ["low", "high"]}},
    "required": ["priority"],
    "additionalProperties": False,
}
QUESTION = InferenceRequest(prompt="The printer is on fire", output_schema=SCHEMA)


@pytest.fixture
async def endpoint() -> AsyncIterator[AiEndpoint]:
    async with ai_endpoint() as server:
        yield server


@pytest.fixture
async def service(endpoint: AiEndpoint) -> AsyncIterator[OpenAiInference]:
    client = OpenAiInference(AiConfig(base_url=endpoint.url, model="model-a", api_key="the-key"))
    yield client
    await client.close()


async def test_the_answer_that_fits_the_schema_is_returned(endpoint: AiEndpoint, service: OpenAiInference) -> None:
    endpoint.answer = completion('{"priority": "high"}')
    answer = await service.infer(QUESTION)
    assert answer.output == {"priority": "high"}
    assert (answer.model, answer.input_tokens, answer.output_tokens) == ("model-that-answered", 7, 3)


async def test_the_schema_is_enforced_by_the_endpoint_when_it_is_strict_enough(
    endpoint: AiEndpoint, service: OpenAiInference
) -> None:
    endpoint.answer = completion('{"priority": "low"}')
    await service.infer(QUESTION)
    [body] = endpoint.requests
    assert body["response_format"]["json_schema"] == {"name": "output", "schema": SCHEMA, "strict": True}
    assert body["model"] == "model-a"
    assert body["messages"] == [{"role": "user", "content": "The printer is on fire"}]
    assert "temperature" not in body
    assert endpoint.keys == ["the-key"]


async def test_what_the_author_sets_is_sent(endpoint: AiEndpoint, service: OpenAiInference) -> None:
    endpoint.answer = completion("{}")
    schema = {"type": "object", "title": "Any thing"}
    await service.infer(
        InferenceRequest(
            prompt="p", output_schema=schema, system="s", model="model-b", temperature=0.0, max_output_tokens=9
        )
    )
    [body] = endpoint.requests
    assert body["messages"][0] == {"role": "system", "content": "s"}
    assert (body["model"], body["temperature"], body["max_completion_tokens"]) == ("model-b", 0.0, 9)
    assert body["response_format"]["json_schema"] == {"name": "Any_thing", "schema": schema, "strict": False}


@pytest.mark.parametrize(
    ("answer", "category", "code"),
    [
        (completion("not json"), Category.ACTION, "AI_OUTPUT_NOT_JSON"),
        (completion(None), Category.ACTION, "AI_OUTPUT_NOT_JSON"),
        (completion("[1]"), Category.ACTION, "AI_OUTPUT_INVALID"),
        (completion('{"priority": "urgent"}'), Category.ACTION, "AI_OUTPUT_INVALID"),
        (completion('{"priority": "lo', finish_reason="length"), Category.ACTION, "AI_OUTPUT_TRUNCATED"),
        (completion("", finish_reason="content_filter"), Category.ACTION, "AI_CONTENT_FILTERED"),
        (completion(None, refusal="I will not"), Category.ACTION, "AI_REFUSED"),
        (problem(400, "invalid_schema", "bad schema"), Category.ACTION, "AI_REQUEST_REFUSED"),
        (problem(401, "invalid_api_key", "wrong key"), Category.ACTION, "AI_UNAUTHORIZED"),
        (problem(403, "forbidden", "not for you"), Category.ACTION, "AI_UNAUTHORIZED"),
        (problem(404, "model_not_found", "no such model"), Category.ACTION, "AI_MODEL_NOT_FOUND"),
        (problem(429, "rate_limit", "slow down"), Category.TRANSIENT, "AI_RATE_LIMITED"),
        (problem(429, "insufficient_quota", "pay first"), Category.QUOTA, "AI_QUOTA_EXCEEDED"),
        (problem(500, "oops", "broken"), Category.TRANSIENT, "AI_UPSTREAM_ERROR"),
        (problem(503, "oops", "overloaded"), Category.TRANSIENT, "AI_UPSTREAM_ERROR"),
    ],
)
async def test_each_bad_answer_has_its_own_code_after_one_request(
    endpoint: AiEndpoint, service: OpenAiInference, answer: Any, category: Category, code: str
) -> None:
    endpoint.answer = answer
    with pytest.raises(RuntimeFailureError) as caught:
        await service.infer(QUESTION)
    assert (caught.value.category, caught.value.code) == (category, code)
    assert len(endpoint.requests) == 1


async def test_an_endpoint_that_does_not_listen_is_a_transient_failure(endpoint: AiEndpoint) -> None:
    client = OpenAiInference(AiConfig(base_url="http://127.0.0.1:1/v1", model="m"))
    with pytest.raises(RuntimeFailureError) as caught:
        await client.infer(QUESTION)
    await client.close()
    assert (caught.value.category, caught.value.code) == (Category.TRANSIENT, "AI_UNREACHABLE")


async def test_without_settings_the_failure_names_them() -> None:
    with pytest.raises(RuntimeFailureError) as caught:
        await UnconfiguredInference().infer(QUESTION)
    assert (caught.value.category, caught.value.code) == (Category.ACTION, "AI_NOT_CONFIGURED")
    assert "AI_BASE_URL" in caught.value.message


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (SCHEMA, True),
        ({"type": "object"}, False),
        ({**SCHEMA, "required": []}, False),
        ({**SCHEMA, "properties": {"priority": {"type": "object"}}}, False),
        ({**SCHEMA, "properties": {"priority": {"anyOf": [{"type": "null"}, {"type": "object"}]}}}, False),
    ],
    ids=json.dumps,
)
def test_strict_mode_is_asked_for_only_where_every_object_is_closed(schema: dict[str, Any], strict: bool) -> None:
    assert fits_strict_mode(schema) is strict
