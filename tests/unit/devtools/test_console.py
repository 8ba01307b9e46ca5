"""What a person at a terminal sees, and what a log sees."""

import sys

import pytest
from devtools.console import step, table, warn


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    text = table(["IMAGE", "TAG"], [["redis", "ab"], ["workflow-worker", "cdef"]])

    assert text == "IMAGE            TAG\nredis            ab\nworkflow-worker  cdef"


def test_table_without_rows_is_its_header() -> None:
    assert table(["QUEUE", "OWNER"], []) == "QUEUE  OWNER"


def test_log_has_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    step("building")
    warn("superseded")

    assert capsys.readouterr() == ("", ".. building\n!! superseded\n")


def test_terminal_has_colours(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    step("building")
    warn("superseded")

    assert capsys.readouterr().err == "\033[2m··\033[0m building\n\033[33m!! superseded\033[0m\n"
