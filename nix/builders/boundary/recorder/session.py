"""One import run: sets the search path, installs the witnesses, imports every module. Recorder process.

Request ``{path, source, sites, scratch, modules, firstParty, parents, firstPartyTops, thirdParty}``; answer
``{imports: [{name, path, line, thirdParty}], effects: [{what, detail, path, line}], failures: [{module, type, message,
name, path, line}]}``.
"""

import importlib
import sys
import traceback
from typing import Any

from boundary.recorder.attribution import Attribution
from boundary.recorder.effects import WATCHED, Effects
from boundary.recorder.finder import Names, Recorder


class Session:
    """Runs one request; a process can run only one, because what it installs stays."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._request = request
        self._attribution = Attribution(request["source"], request["sites"])
        self._effects = Effects(self._attribution, request["scratch"], lambda name: self._recorder.note(name))
        self._recorder = Recorder(
            self._attribution,
            Names(request["firstParty"], request["parents"]),
            Names(request["thirdParty"]),
            request["firstPartyTops"],
            self._effects.watch_code,
            self._effects.watch_module,
            WATCHED,
        )
        self._failures: list[dict[str, Any]] = []

    def run(self) -> dict[str, Any]:
        """Import everything and tell what was seen."""
        sys.path[:] = [*(entry for entry in sys.path[1:] if entry), self._request["source"], *self._request["sites"]]
        sys.meta_path[:] = [self._recorder, *(finder for finder in sys.meta_path if not _is_path_finder(finder))]
        self._effects.install()
        for name in self._request["modules"]:
            self._import(name)
        return {
            "imports": [
                {"name": name, "path": line.path, "line": line.line, "thirdParty": line.third_party}
                for name, line in self._recorder.seen.values()
            ],
            "effects": [
                {"what": what, "detail": detail, "path": path, "line": line}
                for what, detail, path, line in self._effects.noted
            ],
            "failures": self._failures,
        }

    def _import(self, name: str) -> None:
        try:
            importlib.import_module(name)
        except BaseException as error:  # an import may end in SystemExit or KeyboardInterrupt as well
            self._failures.append(self._failure(name, error))

    def _failure(self, name: str, error: BaseException) -> dict[str, Any]:
        lines = [
            (frame.filename, frame.lineno or 0)
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename.startswith(self._request["source"])
        ]
        path, line = lines[-1] if lines else (None, None)
        return {
            "module": name,
            "type": type(error).__name__,
            "message": str(error),
            "name": error.name if isinstance(error, ImportError) else None,
            "path": path,
            "line": line,
        }


def _is_path_finder(finder: object) -> bool:
    return getattr(finder, "__name__", "") == "PathFinder"
