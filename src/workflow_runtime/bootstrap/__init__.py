"""The application side which no worker may contain: AI inference, e-mail, their actions. workflow-server only."""

from workflow_runtime.bootstrap.email import EmailMessageDraft, EmailSender, SmtpConfig, parse_address
from workflow_runtime.bootstrap.inference import AiConfig, Inference, InferenceRequest, InferenceService
from workflow_runtime.bootstrap.specs import AI_INFER, APP_SPECS, EMAIL_SEND
from workflow_runtime.bootstrap.wiring import app_actions

__all__ = [
    "AI_INFER",
    "APP_SPECS",
    "EMAIL_SEND",
    "AiConfig",
    "EmailMessageDraft",
    "EmailSender",
    "Inference",
    "InferenceRequest",
    "InferenceService",
    "SmtpConfig",
    "app_actions",
    "parse_address",
]
