"""Settings every process shares; each process subclasses ProcessSettings. Process code only.

Nothing else reads the environment. Names are the environment variables in lower case. Values come from the
environment, then from files of the same name in the directory of mounted secrets (``/run/secrets/redis_url``), then
from the defaults below.
"""

import warnings
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, FilePath, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from workflow_runtime.service.errors import MisuseError

SECRETS_DIRECTORY: Final = Path("/run/secrets")
"""Where compose and Kubernetes mount secrets as files. Secrets of authored workflows live elsewhere."""

type LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class ProcessSettings(BaseSettings):
    """Connections, logging, health port and time bounds. Times are in seconds.

    ``temporal_tls`` is implied by any TLS file or an API key; the files are PEM. With ``redis_cluster`` the URL names
    any node of a Redis Cluster. A value too large for a history stays in Redis for ``large_payload_retention_days``
    after it was last read: longer than a run may sleep without an event.
    ``worker_versioning`` other than off makes the process a Temporal worker deployment version named after its image,
    with the digest as build id.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    temporal_api_key: SecretStr | None = None
    temporal_tls: bool | None = None
    temporal_tls_server_name: str | None = None
    temporal_tls_server_ca_cert_path: FilePath | None = None
    temporal_tls_client_cert_path: FilePath | None = None
    temporal_tls_client_key_path: FilePath | None = None

    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    redis_cluster: bool = False

    log_level: LogLevel = "INFO"
    bind_host: str = "127.0.0.1"
    port: int = Field(default=4000, ge=0, le=65535)

    connect_deadline_seconds: float = Field(default=120, gt=0)
    shutdown_grace_seconds: float = Field(default=20, ge=0)

    large_payload_retention_days: int = Field(default=90, ge=1)
    worker_versioning: Literal["off", "auto-upgrade", "pinned"] = "off"

    workflow_runtime_image_json: Path = Path("/etc/workflow-runtime/image.json")

    @model_validator(mode="after")
    def _client_certificate_is_complete(self) -> Self:
        if (self.temporal_tls_client_cert_path is None) != (self.temporal_tls_client_key_path is None):
            raise ValueError("set both TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH, or neither")
        return self


def read_settings[S: ProcessSettings](kind: type[S], *, secrets: Path = SECRETS_DIRECTORY) -> S:
    """The settings of this process. Raises MisuseError whose single line names every variable that is wrong."""
    _refuse_directories(kind, secrets)
    try:
        with warnings.catch_warnings():
            # A secret nobody has is mounted from /dev/null: no file, and nothing to warn of.
            warnings.filterwarnings("ignore", "attempted to load secret file", UserWarning)
            return kind(_secrets_dir=secrets if secrets.is_dir() else None)
    except ValidationError as error:
        raise MisuseError("wrong settings: " + "; ".join(_complaint(item) for item in error.errors())) from None


def _refuse_directories(kind: type[ProcessSettings], secrets: Path) -> None:
    """An engine makes a directory of a file it was to mount and did not find; a process would go on without it."""
    found = [str(secrets / name) for name in kind.model_fields if (secrets / name).is_dir()]
    if found:
        raise MisuseError(
            f"wrong settings: {', '.join(found)} is a directory: the file to be mounted there did not exist; "
            "remove the directory that was made in its place, create the file and start again"
        )


def _complaint(item: object) -> str:
    # The rejected value is left out on purpose: it may be a password in the wrong variable.
    assert isinstance(item, dict)
    name = ".".join(str(part) for part in item["loc"]).upper()
    return f"{name}: {item['msg']}" if name else str(item["msg"])
