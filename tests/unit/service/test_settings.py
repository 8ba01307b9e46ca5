"""Settings: where values come from and how a wrong one is told."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from workflow_runtime.service.errors import MisuseError
from workflow_runtime.service.settings import ProcessSettings, read_settings


def test_the_environment_wins_over_a_mounted_secret_and_a_secret_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "redis_url").write_text("redis://:from-file@cache:6379/0\n")
    (tmp_path / "temporal_namespace").write_text("from-file")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "from-environment")
    settings = read_settings(ProcessSettings, secrets=tmp_path)
    assert settings.redis_url.get_secret_value() == "redis://:from-file@cache:6379/0"
    assert settings.temporal_namespace == "from-environment"
    assert settings.port == 4000


def test_a_secret_that_nobody_has_is_passed_over_in_silence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "temporal_namespace")  # as /dev/null: something is there, and it is no file
    assert read_settings(ProcessSettings, secrets=tmp_path).temporal_namespace == "default"


def test_a_directory_in_the_place_of_a_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "redis_url").mkdir()
    (tmp_path / "somebody_elses").mkdir()
    with pytest.raises(MisuseError, match="redis_url is a directory: the file to be mounted there did not exist"):
        read_settings(ProcessSettings, secrets=tmp_path)


def test_an_empty_variable_means_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "")
    assert read_settings(ProcessSettings).temporal_address == "127.0.0.1:7233"


def test_every_wrong_variable_is_named_in_one_line_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "hunter2")
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    with pytest.raises(MisuseError) as refusal:
        read_settings(ProcessSettings)
    line = str(refusal.value)
    assert "PORT:" in line
    assert "LOG_LEVEL:" in line
    assert "hunter2" not in line
    assert "\n" not in line


def test_half_a_client_certificate_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = tmp_path / "cert.pem"
    certificate.write_text("x")
    monkeypatch.setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", str(certificate))
    with pytest.raises(MisuseError, match="TEMPORAL_TLS_CLIENT_KEY_PATH"):
        read_settings(ProcessSettings)


def test_a_tls_file_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", "/no/such/file.pem")
    with pytest.raises(MisuseError, match="TEMPORAL_TLS_SERVER_CA_CERT_PATH"):
        read_settings(ProcessSettings)


def test_settings_cannot_change_and_do_not_show_secrets() -> None:
    settings = ProcessSettings(redis_url="redis://:hunter2@cache/0")
    assert "hunter2" not in repr(settings)
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]
