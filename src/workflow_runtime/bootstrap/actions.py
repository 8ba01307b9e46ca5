"""Handlers of the app-only actions: from an action call to a service and back. workflow-server only."""

import hashlib
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import structlog

from workflow_runtime.bootstrap.email import EmailMessageDraft, EmailSender
from workflow_runtime.bootstrap.inference import InferenceRequest, InferenceService
from workflow_runtime.bootstrap.specs import AI_INFER, EMAIL_SEND
from workflow_runtime.service.action_dispatch import ActionCall, ServedAction


def serve_ai_infer(service: InferenceService) -> ServedAction:
    """``ai.infer``: the answer itself is the output; model and token counts go to the log."""

    async def infer(call: ActionCall) -> Any:
        answer = await service.infer(_inference_request(call.input))
        structlog.get_logger(__name__).info(
            "ai_inference",
            run_id=call.context.run_id,
            tenant_id=call.context.tenant_id,
            step_path=call.context.step_path,
            model=answer.model,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
        )
        return answer.output

    return ServedAction(AI_INFER, infer)


def serve_email_send(sender: EmailSender) -> ServedAction:
    """``email.send``: every attempt of a step carries one Message-ID, so that a second copy is recognisable."""

    async def send(call: ActionCall) -> Any:
        receipt = await sender.send(_draft(call))
        return {
            "messageId": receipt.message_id,
            "accepted": list(receipt.accepted),
            "rejected": receipt.rejected,
        }

    return ServedAction(EMAIL_SEND, send)


def _inference_request(value: dict[str, Any]) -> InferenceRequest:
    return InferenceRequest(
        prompt=value["prompt"],
        output_schema=value["outputSchema"],
        system=value.get("system"),
        model=value.get("model"),
        temperature=value.get("temperature"),
        max_output_tokens=value.get("maxOutputTokens"),
    )


def _draft(call: ActionCall) -> EmailMessageDraft:
    value = call.input
    return EmailMessageDraft(
        message_id=hashlib.sha256(call.idempotency_key.encode()).hexdigest()[:32],
        date=format_datetime(datetime.fromisoformat(call.context.now_iso)),
        to=_addresses(value["to"]),
        cc=_addresses(value.get("cc")),
        bcc=_addresses(value.get("bcc")),
        reply_to=value.get("replyTo"),
        subject=value["subject"],
        text=value.get("text"),
        html=value.get("html"),
    )


def _addresses(value: str | list[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
