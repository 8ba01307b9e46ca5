"""Every line on stdout is one JSON object, whoever wrote it."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from workflow_runtime.service import logging as service_logging
from workflow_runtime.service.image import ImageManifest


@contextmanager
def configured() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    service_logging.configure("INFO", ImageManifest(name="workflow-worker", digest="sha256:12"))
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(False)
        structlog.reset_defaults()


def test_our_lines_and_a_librarys_carry_the_same_fields(capsys: pytest.CaptureFixture[str]) -> None:
    with configured():
        structlog.get_logger("ours").info("polling_queues", queues=["q"])
        logging.getLogger("library").warning("took %d ms", 5)
        structlog.get_logger("ours").debug("not_shown")
    ours, library = map(json.loads, capsys.readouterr().out.splitlines())
    assert (ours["event"], ours["queues"], ours["logger"], ours["level"]) == ("polling_queues", ["q"], "ours", "info")
    assert (library["event"], library["logger"], library["level"]) == ("took 5 ms", "library", "warning")
    assert {line["digest"] for line in (ours, library)} == {"sha256:12"}
    assert ours["timestamp"].endswith("Z")


def test_an_exception_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with configured():
        try:
            raise ValueError("no")
        except ValueError:
            logging.getLogger("library").exception("failed")
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert "ValueError: no" in line["exception"]


def test_a_warning_is_a_line_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings(), configured():
        warnings.simplefilter("default")
        warnings.warn("an activity ended before its cancellation came", UserWarning, stacklevel=1)
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["logger"], line["level"]) == ("py.warnings", "warning")
    assert "an activity ended before its cancellation came" in line["event"]
