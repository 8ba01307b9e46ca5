"""Settings of workflow-server: what is configured when, and where secrets come from."""

from pathlib import Path

import pytest

from workflow_runtime.service.errors import MisuseError
from workflow_runtime.service.settings import read_settings
from workflow_server.settings import ServerSettings


def settings(monkeypatch: pytest.MonkeyPatch, directory: Path, **environment: str) -> ServerSettings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return read_settings(ServerSettings, secrets=directory)


def test_nothing_is_configured_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = settings(monkeypatch, tmp_path)
    assert (found.token(), found.ai(), found.smtp(), found.port) == (None, None, None, 8080)
    assert found.workflow_runtime_v2_event_correlation_paths_json["*"][0] == "ticketId"


def test_a_secret_comes_from_the_environment_a_named_file_or_the_mounted_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "api_token").write_text("mounted\n")
    assert settings(monkeypatch, tmp_path).token() == "mounted"
    named = tmp_path / "named"
    named.write_text("named\n")
    (tmp_path / "api_token").unlink()
    assert settings(monkeypatch, tmp_path, API_TOKEN_FILE=str(named)).token() == "named"
    assert settings(monkeypatch, tmp_path, API_TOKEN="direct").token() == "direct"


def test_ai_and_mail_are_configured_by_pairs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = settings(
        monkeypatch,
        tmp_path,
        AI_BASE_URL="http://ai/v1",
        AI_MODEL="m",
        AI_API_KEY="k",
        SMTP_HOST="mail",
        EMAIL_FROM="Desk <desk@example.com>",
        SMTP_SECURITY="tls",
    )
    ai, smtp = found.ai(), found.smtp()
    assert ai is not None
    assert smtp is not None
    assert (ai.base_url, ai.model, ai.api_key) == ("http://ai/v1", "m", "k")
    assert (smtp.host, smtp.sender, smtp.security, smtp.password) == ("mail", "Desk <desk@example.com>", "tls", None)


@pytest.mark.parametrize(
    "environment",
    [
        {"AI_BASE_URL": "http://ai/v1"},
        {"EMAIL_FROM": "desk@example.com"},
        {"EMAIL_FROM": "nobody", "SMTP_HOST": "mail"},
        {"WORKFLOW_RUNTIME_V2_EVENT_CORRELATION_PATHS_JSON": "["},
        {"SMTP_SECURITY": "sometimes"},
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_meant_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str]
) -> None:
    with pytest.raises(MisuseError) as caught:
        settings(monkeypatch, tmp_path, **environment)
    assert next(iter(environment)) in str(caught.value)


def test_no_secret_shows_in_the_settings_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "hidden" not in repr(settings(monkeypatch, tmp_path, API_TOKEN="hidden", REDIS_URL="redis://:hidden@h"))
