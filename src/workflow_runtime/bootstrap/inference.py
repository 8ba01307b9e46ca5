"""AI inference as a port: a prompt and a JSON Schema in, one JSON object that fits it out. workflow-server only."""

from dataclasses import dataclass
from typing import Any, Protocol

from workflow_runtime.core.errors import ActionFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class AiConfig:
    """An OpenAI-compatible endpoint: ``base_url`` ends before ``/chat/completions``; ``timeout`` is in seconds.

    ``api_key`` is None for an endpoint that asks for none (a model server of your own).
    """

    base_url: str
    model: str
    api_key: str | None = None
    timeout: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceRequest:
    """One question. ``output_schema`` describes an object; ``model`` None means the configured one."""

    prompt: str
    output_schema: dict[str, Any]
    system: str | None = None
    model: str | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Inference:
    """An answer which fits the schema, the model that gave it, and the tokens it cost (0 when not reported)."""

    output: dict[str, Any]
    model: str
    input_tokens: int = 0
    output_tokens: int = 0


class InferenceService(Protocol):
    """Answers questions; a fake in tests subclasses it."""

    async def infer(self, request: InferenceRequest) -> Inference:
        """One answer.

        Raises `ActionFailure` (AI_NOT_CONFIGURED, AI_UNAUTHORIZED, AI_MODEL_NOT_FOUND, AI_REQUEST_REFUSED, AI_REFUSED,
        AI_CONTENT_FILTERED, AI_OUTPUT_TRUNCATED, AI_OUTPUT_NOT_JSON, AI_OUTPUT_INVALID), `TransientFailure`
        (AI_RATE_LIMITED, AI_UNREACHABLE, AI_UPSTREAM_ERROR), `TimeoutFailure` (AI_TIMEOUT) or `QuotaExceededFailure`
        (AI_QUOTA_EXCEEDED).
        """


class UnconfiguredInference(InferenceService):
    """Stands in when no endpoint is configured, so that the action exists and says what is missing."""

    async def infer(self, request: InferenceRequest) -> Inference:
        """Always raises `ActionFailure` with code AI_NOT_CONFIGURED."""
        raise ActionFailure(
            "AI inference is not configured on workflow-server; set AI_BASE_URL and AI_MODEL, and AI_API_KEY or "
            "AI_API_KEY_FILE when the endpoint asks for a key, then start it again",
            code="AI_NOT_CONFIGURED",
        )
