"""Sending e-mail: a port and its SMTP implementation, the only importer of ``aiosmtplib``. workflow-server only."""

from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Literal, Protocol

import aiosmtplib
from aiosmtplib import errors as smtp

from workflow_runtime.core.errors import (
    ActionFailure,
    RuntimeFailureError,
    TimeoutFailure,
    TransientFailure,
    ValidationFailure,
)

type SmtpSecurity = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpConfig:
    """A submission server. ``port`` None means 587, 465 or 25 by ``security``; ``timeout`` is in seconds."""

    host: str
    sender: str
    port: int | None = None
    username: str | None = None
    password: str | None = None
    security: SmtpSecurity = "starttls"
    timeout: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailMessageDraft:
    """A message without its sender. ``message_id`` is the part before the @; ``date`` is RFC 5322 text."""

    message_id: str
    date: str
    to: tuple[str, ...]
    subject: str
    text: str | None = None
    html: str | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class EmailReceipt:
    """What the server accepted; ``rejected`` maps each refused address to the server's reason."""

    message_id: str
    accepted: tuple[str, ...]
    rejected: dict[str, str] = field(default_factory=dict)


class EmailSender(Protocol):
    """Hands messages over for delivery; a fake in tests subclasses it."""

    async def send(self, draft: EmailMessageDraft) -> EmailReceipt:
        """Hand over one message.

        Raises `ValidationFailure` (EMAIL_ADDRESS_INVALID), `ActionFailure` (EMAIL_NOT_CONFIGURED, EMAIL_UNAUTHORIZED,
        EMAIL_REFUSED), `TransientFailure` (EMAIL_UNREACHABLE, EMAIL_DEFERRED) or `TimeoutFailure` (EMAIL_TIMEOUT).
        """


class UnconfiguredEmail(EmailSender):
    """Stands in when no server is configured, so that the action exists and says what is missing."""

    async def send(self, draft: EmailMessageDraft) -> EmailReceipt:
        """Always raises `ActionFailure` with code EMAIL_NOT_CONFIGURED."""
        raise ActionFailure(
            "e-mail is not configured on workflow-server; set SMTP_HOST and EMAIL_FROM, and SMTP_USERNAME with "
            "SMTP_PASSWORD or SMTP_PASSWORD_FILE when the server asks for them, then start it again",
            code="EMAIL_NOT_CONFIGURED",
        )


class SmtpSender(EmailSender):
    """One connection per message: submission servers close idle ones, and a run sends few."""

    def __init__(self, config: SmtpConfig) -> None:
        self._config = config
        self._sender = parse_address(config.sender)

    async def send(self, draft: EmailMessageDraft) -> EmailReceipt:
        """Hand over one message; see `EmailSender.send` for what it raises."""
        message = self._compose(draft)
        recipients = [parse_address(item).addr_spec for item in (*draft.to, *draft.cc, *draft.bcc)]
        try:
            rejected, _ = await self._submit(message, recipients)
        except smtp.SMTPException as error:
            raise _failure(error) from error
        except OSError as error:
            raise TransientFailure(f"the mail server is unreachable: {error}", code="EMAIL_UNREACHABLE") from error
        return EmailReceipt(
            message_id=str(message["Message-ID"]),
            accepted=tuple(item for item in recipients if item not in rejected),
            rejected={address: f"{answer.code} {answer.message}" for address, answer in rejected.items()},
        )

    async def _submit(
        self, message: EmailMessage, recipients: list[str]
    ) -> tuple[dict[str, aiosmtplib.SMTPResponse], str]:
        config = self._config
        return await aiosmtplib.send(
            message,
            sender=self._sender.addr_spec,
            recipients=recipients,
            hostname=config.host,
            port=config.port,
            username=config.username,
            password=config.password,
            use_tls=config.security == "tls",
            start_tls=config.security == "starttls",
            timeout=config.timeout,
        )

    def _compose(self, draft: EmailMessageDraft) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = [parse_address(item) for item in draft.to]
        if draft.cc:
            message["Cc"] = [parse_address(item) for item in draft.cc]
        if draft.reply_to is not None:
            message["Reply-To"] = parse_address(draft.reply_to)
        message["Subject"] = draft.subject
        message["Date"] = draft.date
        message["Message-ID"] = f"<{draft.message_id}@{self._sender.domain}>"
        _set_body(message, draft.text, draft.html)
        return message


def _set_body(message: EmailMessage, text: str | None, html: str | None) -> None:
    if text is not None:
        message.set_content(text)
    if html is not None and text is not None:
        message.add_alternative(html, subtype="html")
    elif html is not None:
        message.set_content(html, subtype="html")


def parse_address(text: str) -> Address:
    """``Name <local@domain>`` or ``local@domain``. Raises `ValidationFailure` with code EMAIL_ADDRESS_INVALID.

    >>> parse_address("Ada <ada@example.org>").addr_spec
    'ada@example.org'
    """
    name, _, spec = text.rpartition("<") if text.endswith(">") else ("", "", text)
    try:
        address = Address(display_name=name.strip().strip('"'), addr_spec=spec.removesuffix(">"))
    except (ValueError, IndexError, MessageError) as error:
        raise _invalid(text, str(error)) from None
    if not address.domain or not address.username:
        raise _invalid(text, "it needs a name, an @ and a domain")
    return address


def _invalid(text: str, reason: str) -> ValidationFailure:
    return ValidationFailure(f"{text!r} is not an e-mail address ({reason})", code="EMAIL_ADDRESS_INVALID")


def _failure(error: smtp.SMTPException) -> RuntimeFailureError:
    """The typed failure for what the server or the way to it did: 4yz replies and lost connections may pass."""
    match error:
        case smtp.SMTPTimeoutError():
            return TimeoutFailure("the mail server did not answer in time", code="EMAIL_TIMEOUT")
        case smtp.SMTPAuthenticationError():
            return ActionFailure(f"the mail server refused the login: {error}", code="EMAIL_UNAUTHORIZED")
        case smtp.SMTPRecipientsRefused():
            codes = {refusal.recipient: f"{refusal.code} {refusal.message}" for refusal in error.recipients}
            return _refusal(f"the mail server refused every recipient: {codes}", *(r.code for r in error.recipients))
        case smtp.SMTPResponseException():
            return _refusal(f"the mail server refused the message: {error.code} {error.message}", error.code)
        case smtp.SMTPServerDisconnected() | smtp.SMTPConnectError():
            return TransientFailure(f"the mail server is unreachable: {error}", code="EMAIL_UNREACHABLE")
    return ActionFailure(f"the mail server lacks what SMTP_SECURITY or the login needs: {error}", code="EMAIL_REFUSED")


def _refusal(message: str, *codes: int) -> RuntimeFailureError:
    if all(400 <= code < 500 for code in codes):
        return TransientFailure(message, code="EMAIL_DEFERRED")
    return ActionFailure(message, code="EMAIL_REFUSED")
