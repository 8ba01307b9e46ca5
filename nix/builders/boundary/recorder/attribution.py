"""Whose doing something is: the first-party line behind the current moment, read from the stack. Recorder process."""

import os
import sys
from dataclasses import dataclass
from types import FrameType


@dataclass(frozen=True, slots=True)
class Line:
    """A line of first-party (or, where ``third_party``, of a wheel's) source."""

    path: str
    line: int
    third_party: bool = False


class Attribution:
    """Knows which files are first-party, which come from wheels, and reads the stack accordingly."""

    def __init__(self, source_root: str, site_packages: list[str]) -> None:
        self._source = source_root.rstrip(os.sep) + os.sep
        self._sites = tuple(site.rstrip(os.sep) + os.sep for site in site_packages)

    def importer(self) -> Line | None:
        """The line that asked for an import: the nearest frame that is neither Python's own nor code in a string."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            path = frame.f_code.co_filename
            if path.startswith(self._source):
                return Line(path, frame.f_lineno)
            if path.startswith(self._sites):
                return Line(path, frame.f_lineno, third_party=True)
            frame = frame.f_back
        return None

    def culprit(self) -> Line | None:
        """The first-party line that caused an effect; None when a wheel or Python did it while being loaded itself."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            path = frame.f_code.co_filename
            if path.startswith(self._source):
                return Line(path, frame.f_lineno)
            if frame.f_code.co_name == "<module>" and not path.startswith("<"):
                return None
            frame = frame.f_back
        return None
