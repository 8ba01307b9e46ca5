"""The document every builder reads, and the one line it fails with."""

import pytest
from tests.unit.builders.conftest import Build

from document import fail, output, read_document


def test_builder_reads_its_document_and_outputs(given: Build) -> None:
    paths = given({"name": "redis"}, outputs=("out", "meta"))

    assert read_document() == {"version": 1, "name": "redis"}
    assert output() == paths["out"]
    assert output("meta") == paths["meta"]


@pytest.mark.parametrize("version", [2, "1", None])
def test_other_version_ends_the_build_with_one_line(
    version: object, given: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    given({}, version=version)

    with pytest.raises(SystemExit) as ended:
        read_document()

    assert ended.value.code == 1
    assert capsys.readouterr().err == f"error: the builder reads document version 1, Nix passed {version!r}\n"


def test_failure_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        fail("the wheel is broken")

    assert ended.value.code == 1
    assert capsys.readouterr() == ("", "error: the wheel is broken\n")
