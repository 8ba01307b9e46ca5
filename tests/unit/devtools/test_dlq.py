"""What `./dev dlq drop` takes for a yes."""

import io
import sys

import pytest
from devtools import __main__ as command_line


class Terminal(io.TextIOWrapper):
    """A terminal where somebody has typed this."""

    def __init__(self, typed: bytes) -> None:
        super().__init__(io.BytesIO(typed), encoding="utf-8")

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("typed", [b"", b"\n", b"n\n", b"yesterday\n", b"\xff\n"])
def test_whatever_is_no_yes_drops_nothing(
    typed: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    # Nobody answers at this address: who is asked anything there would say so.
    assert command_line.main(["dlq", "drop", "1-1", "--server", "http://127.0.0.1:1"]) == 1
    assert capsys.readouterr().out.endswith("nothing dropped\n")


def test_a_yes_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(b"Yes\n"))
    assert command_line.main(["dlq", "drop", "1-1", "--server", "http://127.0.0.1:1"]) == 2
    assert "does not answer at http://127.0.0.1:1" in capsys.readouterr().err
