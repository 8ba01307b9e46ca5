"""Locked wheels through pip: exactly the locked files, or nothing."""

import hashlib
from pathlib import Path

import pytest
from devtools import nixcli, wheels
from devtools.errors import DevError
from devtools.wheels import Wheel
from tests.fakes.programs import Call, FakePrograms

CONTENT = b"a wheel"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def _wheel(file: str = "redis-8.1.0-py3-none-any.whl", digest: str = DIGEST) -> Wheel:
    return {
        "name": file.split("-")[0],
        "version": file.split("-")[1],
        "file": file,
        "hash": f"sha256:{digest}",
        "path": f"/nix/store/x-{file}",
    }


@pytest.fixture
def pip(programs: FakePrograms, monkeypatch: pytest.MonkeyPatch) -> FakePrograms:
    """A pip that writes what the test has asked for into its target directory."""
    monkeypatch.setattr(nixcli, "add_fixed", lambda path, recursive: f"/nix/store/x-{path.name}")
    return programs


def _brings(pip: FakePrograms, *files: str) -> list[str]:
    """Let pip bring files; the list is filled with the requirements it was given."""
    requirements: list[str] = []

    def download(call: Call) -> None:
        target = Path(call.argv[call.argv.index("--dest") + 1])
        requirements.extend(Path(call.argv[-1]).read_text().splitlines())
        target.mkdir()
        for file in files:
            (target / file).write_bytes(CONTENT)

    pip.answer("-m", "pip", "download", effect=download)
    return requirements


def test_pip_is_given_versions_and_hashes_and_decides_nothing(pip: FakePrograms) -> None:
    requirements = _brings(pip, "redis-8.1.0-py3-none-any.whl")

    wheels.fetch([_wheel()])

    assert requirements == [f"redis==8.1.0 --hash=sha256:{DIGEST}"]
    [call] = pip.calls
    assert {"--no-deps", "--require-hashes", "--only-binary"} <= set(call.argv)


def test_tags_of_the_wheels_are_asked_for(pip: FakePrograms) -> None:
    files = [
        "a-1-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "b-1-cp39-abi3-manylinux_2_28_x86_64.whl",
    ]
    _brings(pip, *files)

    wheels.fetch([_wheel(file) for file in files])

    argv = pip.calls[0].argv
    flags = [(argv[index], argv[index + 1]) for index, word in enumerate(argv) if word in ("--abi", "--platform")]
    assert flags == [
        ("--abi", "abi3"),
        ("--abi", "cp313"),
        ("--platform", "manylinux2014_x86_64"),
        ("--platform", "manylinux_2_17_x86_64"),
        ("--platform", "manylinux_2_28_x86_64"),
    ]


def test_nothing_missing_starts_no_pip(pip: FakePrograms) -> None:
    wheels.fetch([])

    assert pip.calls == []


def test_other_file_is_refused(pip: FakePrograms) -> None:
    _brings(pip, "redis-8.1.0.tar.gz")

    with pytest.raises(
        DevError, match=r"pip brought another file than redis-8\.1\.0-py3-none-any\.whl for redis 8\.1\.0"
    ):
        wheels.fetch([_wheel()])


def test_other_content_is_refused(pip: FakePrograms, monkeypatch: pytest.MonkeyPatch) -> None:
    _brings(pip, "redis-8.1.0-py3-none-any.whl")
    monkeypatch.setattr(nixcli, "add_fixed", lambda *_, **__: pytest.fail("added"))

    with pytest.raises(DevError, match=rf"has SHA-256 {DIGEST}, poetry\.lock says sha256:0000: nothing was added"):
        wheels.fetch([_wheel(digest="0000")])


def test_unexpected_store_path_is_reported(pip: FakePrograms) -> None:
    _brings(pip, "redis-8.1.0-py3-none-any.whl")
    wheel = _wheel()
    wheel["path"] = "/nix/store/y-redis"

    with pytest.raises(DevError, match=r"became /nix/store/x-redis-.*, Nix expects /nix/store/y-redis"):
        wheels.fetch([wheel])
