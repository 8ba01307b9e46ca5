"""Sending e-mail to a real SMTP server on loopback: the message as received, and how each refusal is typed."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.fakes.smtp_server import SmtpServer, smtp_server

from workflow_runtime.bootstrap.email import (
    EmailMessageDraft,
    SmtpConfig,
    SmtpSender,
    UnconfiguredEmail,
    parse_address,
)
from workflow_runtime.core.errors import Category, RuntimeFailureError

DRAFT = EmailMessageDraft(
    message_id="abc",
    date="Mon, 03 Mar 2025 10:00:00 +0000",
    to=("Ada <ada@example.org>",),
    subject="Grüße",
    text="We are on it.",
)


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    async with smtp_server() as state:
        yield state


@pytest.fixture
def sender(server: SmtpServer) -> SmtpSender:
    return SmtpSender(SmtpConfig(host="127.0.0.1", port=server.port, sender="Desk <desk@example.com>", security="none"))


async def test_the_message_arrives_with_its_headers(server: SmtpServer, sender: SmtpSender) -> None:
    receipt = await sender.send(DRAFT)
    [message] = server.messages
    assert message["From"] == "Desk <desk@example.com>"
    assert message["To"] == "Ada <ada@example.org>"
    assert message["Subject"] == "Grüße"
    assert message["Message-ID"] == receipt.message_id == "<abc@example.com>"
    assert message["Date"] == "Mon, 03 Mar 2025 10:00:00 +0000"
    assert message.get_content().strip() == "We are on it."
    assert receipt.accepted == ("ada@example.org",)


async def test_text_and_html_travel_as_alternatives(server: SmtpServer, sender: SmtpSender) -> None:
    await sender.send(replace(DRAFT, html="<p>We are on it.</p>"))
    [message] = server.messages
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


async def test_html_alone_is_an_html_message(server: SmtpServer, sender: SmtpSender) -> None:
    await sender.send(replace(DRAFT, text=None, html="<p>x</p>"))
    assert server.messages[0].get_content_type() == "text/html"


async def test_blind_copies_receive_the_message_and_stay_out_of_it(server: SmtpServer, sender: SmtpSender) -> None:
    await sender.send(replace(DRAFT, cc=("bob@example.org",), bcc=("eve@example.org",), reply_to="desk@example.net"))
    [message] = server.messages
    assert server.recipients == ["ada@example.org", "bob@example.org", "eve@example.org"]
    assert (message["Cc"], message["Reply-To"]) == ("bob@example.org", "desk@example.net")
    assert "eve@example.org" not in message.as_string()


async def test_a_refused_recipient_is_reported_and_the_others_receive_it(
    server: SmtpServer, sender: SmtpSender
) -> None:
    server.replies = {"RCPT TO:<bob@": "550 no such user"}
    receipt = await sender.send(replace(DRAFT, cc=("bob@example.org",)))
    assert receipt.accepted == ("ada@example.org",)
    assert receipt.rejected == {"bob@example.org": "550 no such user"}


@pytest.mark.parametrize(
    ("replies", "category", "code"),
    [
        ({"RCPT TO": "550 no such user"}, Category.ACTION, "EMAIL_REFUSED"),
        ({"RCPT TO": "450 try later"}, Category.TRANSIENT, "EMAIL_DEFERRED"),
        ({"MAIL FROM": "550 not you"}, Category.ACTION, "EMAIL_REFUSED"),
        ({"end of DATA": "451 disk full"}, Category.TRANSIENT, "EMAIL_DEFERRED"),
        ({"end of DATA": "554 spam"}, Category.ACTION, "EMAIL_REFUSED"),
    ],
    ids=str,
)
async def test_a_refusal_is_permanent_or_passing_by_its_code(
    server: SmtpServer, sender: SmtpSender, replies: dict[str, str], category: Category, code: str
) -> None:
    server.replies = replies
    with pytest.raises(RuntimeFailureError) as caught:
        await sender.send(DRAFT)
    assert (caught.value.category, caught.value.code) == (category, code)


async def test_a_refused_login_is_its_own_failure(server: SmtpServer) -> None:
    server.replies = {"EHLO": "250-ok\r\n250 AUTH PLAIN", "AUTH": "535 wrong password"}
    sender = SmtpSender(
        SmtpConfig(
            host="127.0.0.1", port=server.port, sender="desk@example.com", security="none", username="u", password="p"
        )
    )
    with pytest.raises(RuntimeFailureError) as caught:
        await sender.send(DRAFT)
    assert (caught.value.category, caught.value.code) == (Category.ACTION, "EMAIL_UNAUTHORIZED")


async def test_a_server_without_the_demanded_encryption_gets_no_message(server: SmtpServer) -> None:
    sender = SmtpSender(SmtpConfig(host="127.0.0.1", port=server.port, sender="desk@example.com"))
    with pytest.raises(RuntimeFailureError) as caught:
        await sender.send(DRAFT)
    assert caught.value.code == "EMAIL_REFUSED"
    assert server.messages == []


async def test_a_server_that_does_not_listen_is_a_transient_failure() -> None:
    sender = SmtpSender(SmtpConfig(host="127.0.0.1", port=1, sender="desk@example.com", security="none"))
    with pytest.raises(RuntimeFailureError) as caught:
        await sender.send(DRAFT)
    assert (caught.value.category, caught.value.code) == (Category.TRANSIENT, "EMAIL_UNREACHABLE")


@pytest.mark.parametrize("text", ["", "ada", "ada@", "@example.org", "a b@example.org", "a@b\r\nBcc: eve@example.org"])
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(RuntimeFailureError) as caught:
        parse_address(text)
    assert (caught.value.category, caught.value.code) == (Category.VALIDATION, "EMAIL_ADDRESS_INVALID")


async def test_without_settings_the_failure_names_them() -> None:
    with pytest.raises(RuntimeFailureError) as caught:
        await UnconfiguredEmail().send(DRAFT)
    assert (caught.value.category, caught.value.code) == (Category.ACTION, "EMAIL_NOT_CONFIGURED")
    assert "SMTP_HOST" in caught.value.message
