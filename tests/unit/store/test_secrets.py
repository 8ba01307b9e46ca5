"""Secrets as files: per tenant, read anew each time, and never a way out of the directory."""

import os
from pathlib import Path

import pytest

from workflow_runtime.core.errors import TransientFailure, ValidationFailure
from workflow_runtime.store.errors import InvalidNameError
from workflow_runtime.store.secrets import MAX_SECRET_BYTES, DirectorySecrets


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secrets" / "acme").mkdir(parents=True)
    return tmp_path / "secrets"


def mount(root: Path, name: str, content: bytes) -> Path:
    path = root / "acme" / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"a\r\n", "a"),
        (b"two\n\n", "two\n"),
        (b"cr\r", "cr\r"),
        (b"", ""),
    ],
)
async def test_a_final_newline_is_not_part_of_the_value(root: Path, content: bytes, value: str) -> None:
    mount(root, "MAIL", content)
    assert await DirectorySecrets(root).resolve("acme", "MAIL") == value


async def test_a_rotated_secret_is_used_from_then_on(root: Path) -> None:
    secrets = DirectorySecrets(root)
    path = mount(root, "MAIL", b"old")
    assert await secrets.resolve("acme", "MAIL") == "old"
    path.write_bytes(b"new")
    assert await secrets.resolve("acme", "MAIL") == "new"


async def test_a_missing_secret_says_what_to_mount(root: Path) -> None:
    mount(root, "MAIL", b"x")
    for tenant, name in (("acme", "OTHER"), ("stranger", "MAIL")):
        with pytest.raises(ValidationFailure, match=f"secret '{name}' of tenant '{tenant}' does not exist") as refused:
            await DirectorySecrets(root).resolve(tenant, name)
        assert refused.value.code == "SECRET_NOT_FOUND"


@pytest.mark.parametrize("name", ["../other/MAIL", "", ".hidden", "a/b", "a b", "x" * 129, "..", "a\x00"])
async def test_names_that_are_no_file_names_are_refused(root: Path, name: str) -> None:
    with pytest.raises(InvalidNameError):
        await DirectorySecrets(root).resolve("acme", name)


@pytest.mark.parametrize("tenant", ["..", ".", "a/b", "", "{x}"])
async def test_tenants_that_are_no_directory_names_are_refused(root: Path, tenant: str) -> None:
    with pytest.raises(InvalidNameError):
        await DirectorySecrets(root).resolve(tenant, "MAIL")
    with pytest.raises(InvalidNameError):
        await DirectorySecrets(root).names(tenant)


async def test_links_inside_the_directory_are_followed_and_those_out_of_it_are_not(root: Path) -> None:
    data = root / "acme" / "..2026_01_01"
    data.mkdir()
    (data / "MAIL").write_text("inside")
    (root / "acme" / "MAIL").symlink_to(Path("..2026_01_01") / "MAIL")
    outside = root.parent / "outside"
    outside.write_text("outside")
    (root / "acme" / "EVIL").symlink_to(outside)
    secrets = DirectorySecrets(root)
    assert await secrets.resolve("acme", "MAIL") == "inside"
    with pytest.raises(ValidationFailure):
        await secrets.resolve("acme", "EVIL")


async def test_the_names_of_a_tenant_are_its_files(root: Path) -> None:
    for name in ("A", "B.key", ".hidden"):
        mount(root, name, b"x")
    (root / "acme" / "directory").mkdir()
    secrets = DirectorySecrets(root)
    assert await secrets.names("acme") == {"A", "B.key"}
    assert await secrets.names("stranger") == frozenset()


async def test_an_unreadable_secret_shows_nothing_of_itself(root: Path) -> None:
    mount(root, "BINARY", b"\xff\xfesecret")
    with pytest.raises(TransientFailure, match="UnicodeDecodeError") as refused:
        await DirectorySecrets(root).resolve("acme", "BINARY")
    assert refused.value.__cause__ is None
    assert "secret\\" not in repr(refused.value)


async def test_a_file_larger_than_a_secret_is_refused(root: Path) -> None:
    mount(root, "FITS", b"x" * MAX_SECRET_BYTES)
    mount(root, "LARGE", b"x" * (MAX_SECRET_BYTES + 1))
    secrets = DirectorySecrets(root)
    assert len(await secrets.resolve("acme", "FITS")) == MAX_SECRET_BYTES
    with pytest.raises(ValidationFailure) as refused:
        await secrets.resolve("acme", "LARGE")
    assert refused.value.code == "SECRET_TOO_LARGE"


@pytest.mark.parametrize("kind", ["directory", "pipe"])
async def test_only_files_are_secrets(root: Path, kind: str) -> None:
    path = root / "acme" / "ODD"
    if kind == "directory":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(ValidationFailure):
        await DirectorySecrets(root).resolve("acme", "ODD")
