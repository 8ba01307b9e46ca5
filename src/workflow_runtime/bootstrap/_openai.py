"""AI inference over an OpenAI-compatible endpoint, the only importer of ``openai``. workflow-server only."""

import json
import re
from typing import Any, Final

from openai import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    omit,
)
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from openai.types.chat.chat_completion import Choice
from openai.types.shared_params import ResponseFormatJSONSchema

from workflow_runtime.bootstrap.inference import AiConfig, Inference, InferenceRequest, InferenceService
from workflow_runtime.core.actions import validate_json
from workflow_runtime.core.errors import (
    ActionFailure,
    QuotaExceededFailure,
    RuntimeFailureError,
    TimeoutFailure,
    TransientFailure,
)

_ANSWER_EXCERPT: Final = 300
"""Characters of a wrong answer that a failure shows."""


class OpenAiInference(InferenceService):
    """One client for the life of the process. It never retries by itself: the step's retry policy decides."""

    def __init__(self, config: AiConfig) -> None:
        self._model = config.model
        self._client = AsyncOpenAI(
            base_url=config.base_url,
            api_key=config.api_key or "no-key-configured",
            timeout=config.timeout,
            max_retries=0,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def infer(self, request: InferenceRequest) -> Inference:
        """One answer; see `InferenceService.infer` for what it raises."""
        completion = await self._ask(request)
        if not completion.choices:
            raise TransientFailure("the AI endpoint answered without a choice", code="AI_UPSTREAM_ERROR")
        usage = completion.usage
        return Inference(
            output=_checked_output(completion.choices[0], request.output_schema),
            model=completion.model,
            input_tokens=usage.prompt_tokens if usage else 0,
            output_tokens=usage.completion_tokens if usage else 0,
        )

    async def _ask(self, request: InferenceRequest) -> ChatCompletion:
        try:
            return await self._client.chat.completions.create(
                model=request.model or self._model,
                messages=_messages(request),
                response_format=_response_format(request.output_schema),
                temperature=omit if request.temperature is None else request.temperature,
                max_completion_tokens=omit if request.max_output_tokens is None else request.max_output_tokens,
            )
        except APIError as error:
            raise _failure(error) from error


def _messages(request: InferenceRequest) -> list[ChatCompletionMessageParam]:
    messages: list[ChatCompletionMessageParam] = []
    if request.system is not None:
        messages.append({"role": "system", "content": request.system})
    messages.append({"role": "user", "content": request.prompt})
    return messages


def _response_format(schema: dict[str, Any]) -> ResponseFormatJSONSchema:
    title = re.sub(r"[^A-Za-z0-9_-]", "_", str(schema.get("title", "output")))[:64]
    return {
        "type": "json_schema",
        "json_schema": {"name": title or "output", "schema": schema, "strict": fits_strict_mode(schema)},
    }


def fits_strict_mode(schema: Any) -> bool:
    """Whether an endpoint can enforce ``schema`` itself: every object closed, every property required.

    A schema outside that subset is still sent as a guide; the answer is checked here either way.
    """
    match schema:
        case {"type": "object"}:
            properties = schema.get("properties", {})
            closed = schema.get("additionalProperties") is False and set(schema.get("required", ())) == set(properties)
            return closed and all(fits_strict_mode(item) for item in schema.values())
        case dict():
            return all(fits_strict_mode(item) for item in schema.values())
        case list():
            return all(fits_strict_mode(item) for item in schema)
    return True


def _checked_output(choice: Choice, schema: dict[str, Any]) -> dict[str, Any]:
    message = choice.message
    if message.refusal:
        raise ActionFailure(f"the model refused: {message.refusal}", code="AI_REFUSED")
    if choice.finish_reason == "content_filter":
        raise ActionFailure("the AI endpoint's content filter withheld the answer", code="AI_CONTENT_FILTERED")
    if choice.finish_reason == "length":
        raise ActionFailure(
            "the answer was cut off at the token limit; raise maxOutputTokens or ask for less",
            code="AI_OUTPUT_TRUNCATED",
        )
    return _parsed(message.content or "", schema)


def _parsed(content: str, schema: dict[str, Any]) -> dict[str, Any]:
    excerpt = content[:_ANSWER_EXCERPT]
    try:
        output = json.loads(content)
    except ValueError as error:
        raise ActionFailure(
            f"the model's answer is not JSON ({error})", code="AI_OUTPUT_NOT_JSON", details={"answer": excerpt}
        ) from None
    if not isinstance(output, dict):
        raise ActionFailure(
            "the model's answer is not an object", code="AI_OUTPUT_INVALID", details={"answer": excerpt}
        )
    problems = validate_json(schema, output)
    if problems:
        raise ActionFailure(
            f"the model's answer does not fit outputSchema: {'; '.join(problems)}",
            code="AI_OUTPUT_INVALID",
            details={"problems": problems, "answer": excerpt},
        )
    return output


def _failure(error: APIError) -> RuntimeFailureError:
    """The typed failure for whatever the client library raised; the retry policy of a step acts on its category."""
    match error:
        case APITimeoutError():
            return TimeoutFailure("the AI endpoint did not answer in time", code="AI_TIMEOUT")
        case APIConnectionError():
            return TransientFailure(f"the AI endpoint is unreachable: {_cause(error)}", code="AI_UNREACHABLE")
        case RateLimitError() if error.code == "insufficient_quota":
            return QuotaExceededFailure(f"the AI account's quota is used up: {error.message}", code="AI_QUOTA_EXCEEDED")
        case RateLimitError():
            return TransientFailure(f"the AI endpoint limits the rate: {error.message}", code="AI_RATE_LIMITED")
        case AuthenticationError() | PermissionDeniedError():
            return ActionFailure(f"the AI endpoint refused the key: {error.message}", code="AI_UNAUTHORIZED")
        case NotFoundError():
            return ActionFailure(f"the AI endpoint knows no such model: {error.message}", code="AI_MODEL_NOT_FOUND")
        case APIStatusError() if error.status_code < 500:
            return ActionFailure(f"the AI endpoint refused the request: {error.message}", code="AI_REQUEST_REFUSED")
        case APIStatusError() | APIResponseValidationError():
            return TransientFailure(f"the AI endpoint failed: {error.message}", code="AI_UPSTREAM_ERROR")
    return TransientFailure(f"the AI endpoint failed: {error.message}", code="AI_UPSTREAM_ERROR")


def _cause(error: APIConnectionError) -> str:
    return str(error.__cause__ or error)
