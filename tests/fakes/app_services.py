"""The bootstrap ports without a network: a scripted AI service and a sender that keeps its drafts. Tests only."""

from workflow_runtime.bootstrap import EmailMessageDraft, EmailSender, Inference, InferenceRequest, InferenceService
from workflow_runtime.bootstrap.email import EmailReceipt


class ScriptedInference(InferenceService):
    """Gives the same answer to every request and keeps the requests."""

    def __init__(self, answer: Inference) -> None:
        self.answer = answer
        self.requests: list[InferenceRequest] = []

    async def infer(self, request: InferenceRequest) -> Inference:
        self.requests.append(request)
        return self.answer


class KeptEmails(EmailSender):
    """Accepts every message and keeps it."""

    def __init__(self) -> None:
        self.drafts: list[EmailMessageDraft] = []

    async def send(self, draft: EmailMessageDraft) -> EmailReceipt:
        self.drafts.append(draft)
        return EmailReceipt(f"<{draft.message_id}@test>", (*draft.to, *draft.cc, *draft.bcc))
