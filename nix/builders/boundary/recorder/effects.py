"""What importing first-party code does besides defining names. Recorder process.

Three ways of seeing: an audit hook for connections, processes, threads and files; a watched ``os.environ``; and
``sys.monitoring`` on first-party code alone for clocks, chance and global registrations. Connections, processes and
writes outside the scratch directory are refused as well as noted.
"""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from types import CodeType, ModuleType
from typing import Any, Final

from boundary.behaviour import nondeterministic
from boundary.recorder.attribution import Attribution, Line
from boundary.words import words

_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_TOOL: Final = sys.monitoring.PROFILER_ID

_EVENTS: Final = {
    "opens a connection": words(
        """
        socket.connect socket.bind socket.sendto socket.sendmsg socket.getaddrinfo socket.gethostbyname sqlite3.connect
        """
    ),
    "starts a process": words(
        "subprocess.Popen os.system os.exec os.posix_spawn os.spawn os.fork os.forkpty pty.spawn"
    ),
    "starts a thread": words("_thread.start_new_thread _thread.start_joinable_thread"),
    "changes the environment": words("os.putenv os.unsetenv"),
    "changes the working directory": words("os.chdir"),
    "writes a file": words(
        """
        os.mkdir os.rmdir os.remove os.rename os.link os.symlink os.truncate os.chmod os.chown os.utime shutil.rmtree
        shutil.move tempfile.mkstemp tempfile.mkdtemp
        """
    ),
}
_AUDITED: Final = {event: what for what, events in _EVENTS.items() for event in events}
_REFUSED: Final = frozenset({"opens a connection", "starts a process", "writes a file"})
"""Refused whoever does it; the rest only when first-party code does."""

_REGISTERING: Final = words(
    """
    atexit.register signal.signal signal.set_wakeup_fd codecs.register _codecs.register sys.settrace sys.setprofile
    sys.setrecursionlimit sys.addaudithook gc.disable faulthandler.enable locale.setlocale warnings.filterwarnings
    warnings.simplefilter logging.basicConfig logging.disable logging.captureWarnings logging.Logger.addHandler
    logging.Logger.setLevel logging.config.dictConfig logging.config.fileConfig asyncio.events.set_event_loop_policy
    multiprocessing.context.set_start_method structlog._config.configure copyreg.pickle mimetypes.add_type
    """
)
"""Functions that change something for the whole process."""

_IMPORTING: Final[CodeType] = importlib._bootstrap._gcd_import.__code__  # type: ignore[attr-defined]
"""What every call of ``import_module`` runs, also for modules that are loaded already."""

_HARMLESS_VARIABLES: Final = frozenset({"PYDANTIC_DISABLE_PLUGINS"})
"""Read by a wheel whenever first-party code defines a class with it; nothing of ours depends on them."""

WATCHED: Final[dict[str, tuple[str, str]]] = {
    "prometheus_client.registry": ("CollectorRegistry", "register"),
    "structlog._config": ("", "configure"),
}
"""Functions of wheels that register globally, however they are reached: module -> class (or nothing) and function."""


class Effects:
    """Notes each effect once, with the first-party line that caused it."""

    def __init__(self, attribution: Attribution, scratch: str, on_import: Callable[[str], None]) -> None:
        self.noted: dict[tuple[str, str, str, int], None] = {}
        self._attribution = attribution
        self._on_import = on_import
        self._scratch = scratch.rstrip(os.sep) + os.sep

    def install(self) -> None:
        """Begin to watch; there is no way back, which is why this has a process of its own."""
        monitoring = sys.monitoring
        monitoring.use_tool_id(_TOOL, "boundary")
        monitoring.register_callback(_TOOL, monitoring.events.CALL, self._on_call)
        monitoring.register_callback(_TOOL, monitoring.events.PY_START, self._on_start)
        monitoring.set_local_events(_TOOL, _IMPORTING, monitoring.events.PY_START)
        _watch_environment(self._on_environment)
        sys.addaudithook(self._on_audit)

    def watch_code(self, code: CodeType) -> None:
        """See every call that this first-party code makes."""
        for inner in _all_code(code):
            sys.monitoring.set_local_events(_TOOL, inner, sys.monitoring.events.CALL)

    def watch_module(self, module: ModuleType) -> None:
        """See every call of the registering function in a wheel's module."""
        owner, function = WATCHED[module.__name__]
        held = getattr(getattr(module, owner, None) if owner else module, function, None)
        code = getattr(held, "__code__", None)
        if isinstance(code, CodeType):
            sys.monitoring.set_local_events(_TOOL, code, sys.monitoring.events.PY_START)

    def _note(self, what: str, detail: str, line: Line | None) -> None:
        if line is not None:
            self.noted.setdefault((what, detail, line.path, line.line))

    def _on_audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            self._on_open(*arguments[:3])
        elif event in _AUDITED:
            what = _AUDITED[event]
            line = self._attribution.culprit()
            self._note(what, event, line)
            if line is not None or what in _REFUSED:
                raise PermissionError(f"{event} is refused while the boundary check imports a module")

    def _on_open(self, path: object, mode: object, flags: object) -> None:
        if not isinstance(flags, int) or not flags & _WRITES or not isinstance(path, str | bytes):
            return
        name = os.path.abspath(os.fsdecode(path))
        if name.startswith(self._scratch) or name == os.devnull:
            return
        self._note("writes a file", "open", self._attribution.culprit())
        raise PermissionError(f"writing {name} is refused while the boundary check imports a module")

    def _on_environment(self, key: str) -> None:
        if key not in _HARMLESS_VARIABLES:
            self._note("reads the environment", key, self._attribution.culprit())

    def _on_call(self, code: CodeType, offset: int, function: object, argument: object) -> None:
        name = _full_name(function, argument)
        if name == "builtins.__import__" and isinstance(argument, str):
            self._on_import(argument)
        what = "registers globally" if name in _REGISTERING else "prints" if name == "builtins.print" else None
        if what is None and name.partition(".")[0] in ("time", "random", "secrets", "uuid", "datetime", "os"):
            reached = nondeterministic(name)
            what = f"reaches {reached}" if reached in ("a clock", "chance") else None
        if what is not None:
            self._note(what, name, self._attribution.culprit())

    def _on_start(self, code: CodeType, offset: int) -> None:
        if code is _IMPORTING:
            asked = sys._getframe(1).f_locals
            self._on_import(importlib.util.resolve_name("." * asked["level"] + asked["name"], asked["package"]))
            return
        self._note("registers globally", code.co_qualname, self._attribution.culprit())


def _all_code(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _all_code(constant)


def _full_name(function: object, argument: object) -> str:
    """``datetime.datetime.now`` for whatever form the interpreter calls it in; chance through the shared generator is
    written as the module's own function."""
    owner = getattr(function, "__self__", argument)
    shared = getattr(sys.modules.get("random"), "_inst", None)
    qualified = getattr(function, "__qualname__", "")
    if shared is not None and owner is shared:
        return f"random.{qualified.rpartition('.')[2]}"
    module = getattr(function, "__module__", None)
    if module is None and owner is not None:
        module = (owner if isinstance(owner, type) else type(owner)).__module__
    return f"{'os' if module == 'posix' else module}.{qualified}"


def _watch_environment(note: Callable[[str], None]) -> None:
    """Make ``os.environ`` say when it is read; the C-level copy in ``posix`` stays unwatched."""
    kind: Any = type(os.environ)
    get, each = kind.__getitem__, kind.__iter__

    def read_one(self: Any, key: Any) -> Any:
        note(str(key))
        return get(self, key)

    def read_all(self: Any) -> Any:
        note("all of it")
        return each(self)

    kind.__getitem__, kind.__iter__ = read_one, read_all
