"""Builds the app actions from configuration and closes what they hold. Called from workflow-server's main only."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from workflow_runtime.bootstrap._openai import OpenAiInference
from workflow_runtime.bootstrap.actions import serve_ai_infer, serve_email_send
from workflow_runtime.bootstrap.email import EmailSender, SmtpConfig, SmtpSender, UnconfiguredEmail
from workflow_runtime.bootstrap.inference import AiConfig, InferenceService, UnconfiguredInference
from workflow_runtime.service.action_dispatch import ServedAction


@asynccontextmanager
async def app_actions(ai: AiConfig | None, smtp: SmtpConfig | None) -> AsyncIterator[tuple[ServedAction, ...]]:
    """The actions of the app queue while the body runs.

    An unconfigured one is served too and fails with AI_NOT_CONFIGURED or EMAIL_NOT_CONFIGURED, so that a definition
    which uses it can be published and the run says what is missing.
    """
    async with AsyncExitStack() as stack:
        inference: InferenceService = UnconfiguredInference()
        if ai is not None:
            client = OpenAiInference(ai)
            stack.push_async_callback(client.close)
            inference = client
        sender: EmailSender = SmtpSender(smtp) if smtp is not None else UnconfiguredEmail()
        yield serve_ai_infer(inference), serve_email_send(sender)
