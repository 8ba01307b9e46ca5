"""Secrets as mounted files. Activities and processes only; a value never leaves the activity that asked for it."""

import asyncio
import re
from pathlib import Path
from typing import Final, Protocol

from workflow_runtime.core.errors import TransientFailure, ValidationFailure
from workflow_runtime.store.connection import check_tenant
from workflow_runtime.store.errors import InvalidNameError

MAX_SECRET_BYTES: Final = 64 * 1024

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class SecretSource(Protocol):
    """Where the values of ``{"$secret": NAME}`` come from."""

    async def resolve(self, tenant_id: str, name: str) -> str:
        """The value; core's ``ValidationFailure`` SECRET_NOT_FOUND when there is none."""

    async def names(self, tenant_id: str) -> frozenset[str]:
        """The names that can be resolved: what publishing checks references against."""


class DirectorySecrets(SecretSource):
    """One file per secret, ``<directory>/<tenant>/<name>``; a final newline does not belong to the value.

    Files are read anew each time, so a rotated secret is used from the next action on. Symbolic links may lead around
    within the directory (this is how Kubernetes swaps mounted secrets) but not out of it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def resolve(self, tenant_id: str, name: str) -> str:
        """The value, UTF-8. ``ValidationFailure`` SECRET_NOT_FOUND, ``TransientFailure`` when it cannot be read."""
        return await asyncio.to_thread(self._read, tenant_id, check_secret_name(name))

    async def names(self, tenant_id: str) -> frozenset[str]:
        """Names of the tenant's files."""
        return await asyncio.to_thread(self._names, tenant_id)

    def _read(self, tenant_id: str, name: str) -> str:
        path = self._directory_of(tenant_id) / name
        if not path.is_file() or not path.resolve().is_relative_to(self._directory.resolve()):
            raise ValidationFailure(
                f"secret {name!r} of tenant {tenant_id!r} does not exist; mount a file of that name in the tenant's "
                f"directory of secrets",
                code="SECRET_NOT_FOUND",
            )
        try:
            with path.open("rb") as file:
                content = file.read(MAX_SECRET_BYTES + 1)
            return _value(content, name)
        except (OSError, UnicodeDecodeError) as error:
            reason = type(error).__name__  # the error's own text could show part of the value
            raise TransientFailure(
                f"secret {name!r} of tenant {tenant_id!r} cannot be read ({reason}); check its mode and encoding",
                code="SECRET_UNREADABLE",
            ) from None

    def _names(self, tenant_id: str) -> frozenset[str]:
        directory = self._directory_of(tenant_id)
        if not directory.is_dir():
            return frozenset()
        return frozenset(path.name for path in directory.iterdir() if _NAME.fullmatch(path.name) and path.is_file())

    def _directory_of(self, tenant_id: str) -> Path:
        check_tenant(tenant_id)
        if "/" in tenant_id or tenant_id in (".", ".."):
            raise InvalidNameError("tenant id with secrets", tenant_id, "it must be usable as the name of a directory")
        return self._directory / tenant_id


def check_secret_name(name: str) -> str:
    """``name`` itself. Raises `InvalidNameError`."""
    if not _NAME.fullmatch(name):
        raise InvalidNameError("secret name", name, "1 to 128 letters, digits and _ . - with no sign but _ in front")
    return name


def _value(content: bytes, name: str) -> str:
    if len(content) > MAX_SECRET_BYTES:
        raise ValidationFailure(
            f"secret {name!r} is larger than {MAX_SECRET_BYTES} bytes; mount a smaller file", code="SECRET_TOO_LARGE"
        )
    text = content.decode()
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
