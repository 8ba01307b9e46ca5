"""Settings of workflow-server. Process code; nothing else in this package reads the environment or a secret file."""

from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, FilePath, SecretStr, field_validator, model_validator

from workflow_runtime.bootstrap import AiConfig, SmtpConfig, parse_address
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.service.event_settings import EventSettings
from workflow_runtime.store.retention import MAX_RETENTION_DAYS

DEFAULT_TENANT: Final = "default"


class ServerSettings(EventSettings):
    """What the API, the operator page and the app actions can be told. Times are in seconds.

    A ``*_file`` names a file whose content, without its final newline, is the secret; the environment wins over it.
    """

    port: int = Field(default=8080, ge=0, le=65535)
    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    """Largest request body; a run's payload may be 2 MB and needs room for the document around it."""

    api_token: SecretStr | None = None
    api_token_file: FilePath | None = None

    ai_base_url: str | None = None
    ai_model: str | None = None
    ai_api_key: SecretStr | None = None
    ai_api_key_file: FilePath | None = None
    ai_timeout_seconds: float = Field(default=120, gt=0)

    smtp_host: str | None = None
    smtp_port: int | None = Field(default=None, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_password_file: FilePath | None = None
    smtp_timeout_seconds: float = Field(default=30, gt=0)
    email_from: str | None = None

    run_retention_days: int = Field(default=90, ge=1, le=MAX_RETENTION_DAYS)
    """Age at which ended runs are removed with all that belongs to them; a workflow may have its own."""
    notification_retention_days: int = Field(default=90, ge=1, le=MAX_RETENTION_DAYS)

    workflow_secrets_dir: Path = Path("/run/workflow-secrets")
    """Secrets of authored workflows, ``<directory>/<tenant>/<name>``."""
    temporal_ui_url: str | None = None
    """Where a browser finds the page of Temporal; the operator page links to it when it is set."""

    @model_validator(mode="after")
    def _pairs_are_complete(self) -> Self:
        if (self.ai_base_url is None) != (self.ai_model is None):
            raise ValueError("set both AI_BASE_URL and AI_MODEL, or neither")
        if (self.smtp_host is None) != (self.email_from is None):
            raise ValueError("set both SMTP_HOST and EMAIL_FROM, or neither")
        return self

    @field_validator("email_from")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                parse_address(value)
            except ValidationFailure as failure:
                raise ValueError(failure.message) from None
        return value

    def token(self) -> str | None:
        """The bearer token that callers must show, or None when anyone may call."""
        return _secret(self.api_token, self.api_token_file)

    def ai(self) -> AiConfig | None:
        """Where AI inference goes, or None when it is not configured."""
        if self.ai_base_url is None or self.ai_model is None:
            return None
        return AiConfig(
            base_url=self.ai_base_url,
            model=self.ai_model,
            api_key=_secret(self.ai_api_key, self.ai_api_key_file),
            timeout=self.ai_timeout_seconds,
        )

    def smtp(self) -> SmtpConfig | None:
        """Where e-mail goes, or None when it is not configured."""
        if self.smtp_host is None or self.email_from is None:
            return None
        return SmtpConfig(
            host=self.smtp_host,
            sender=self.email_from,
            port=self.smtp_port,
            username=self.smtp_username,
            password=_secret(self.smtp_password, self.smtp_password_file),
            security=self.smtp_security,
            timeout=self.smtp_timeout_seconds,
        )


def _secret(value: SecretStr | None, file: Path | None) -> str | None:
    if value is not None:
        return value.get_secret_value()
    return file.read_text(encoding="utf-8").removesuffix("\n") if file is not None else None
