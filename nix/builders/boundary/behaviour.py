"""What may not be reached from code that runs inside a Temporal workflow, by full name. Data only. Build process.

Workflow code is replayed: it may ask only ``temporalio.workflow`` for time, chance, waiting and work. asyncio itself is
replaced by Temporal's deterministic loop, so only those parts are listed that leave it or whose order is not fixed.
"""

from functools import cache
from typing import Final

from boundary.words import words

_BY_PREFIX: Final = {
    "a clock": words("time"),
    "chance": words("random secrets"),
    "a thread or process": words("threading _thread multiprocessing concurrent.futures subprocess signal sched queue"),
    "the network": words(
        """
        socket ssl select selectors socketserver http.client http.server urllib.request smtplib ftplib imaplib poplib
        xmlrpc redis httpx2 httpcore2 httpx requests aiohttp uvicorn starlette fastapi openai aiosmtplib
        temporalio.client temporalio.worker temporalio.service
        """
    ),
    "I/O": words(
        """
        io.open shutil tempfile glob fileinput sqlite3 dbm shelve mmap fcntl logging structlog prometheus_client os
        importlib.resources
        """
    ),
    "the environment": words(
        """
        os.environ os.environb os.getenv os.getenvb os.cpu_count platform locale getpass pwd sys.argv sys.stdin dotenv
        """
    ),
}
"""What is reached -> modules, or parts of modules, that reach it."""

_PATH_METHODS: Final = words(
    """
    open read_text read_bytes write_text write_bytes exists is_file is_dir iterdir glob rglob stat lstat mkdir rmdir
    unlink rename replace touch resolve cwd home expanduser symlink_to hardlink_to chmod walk
    """
)
_ASYNCIO: Final = {
    "a thread or process": words("to_thread create_subprocess_exec create_subprocess_shell run new_event_loop Runner"),
    "the network": words("open_connection open_unix_connection start_server start_unix_server"),
    "an order that is not fixed": words("wait as_completed"),
}

_EXACT: Final[dict[str, str]] = {
    **dict.fromkeys(words("datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today"), "a clock"),
    "datetime.date.today": "a clock",
    **dict.fromkeys(words("uuid.uuid1 uuid.uuid4 os.urandom os.getrandom"), "chance"),
    "uuid.getnode": "the environment",
    **dict.fromkeys(words("builtins.open builtins.print builtins.input sys.stdout sys.stderr"), "I/O"),
    **{f"asyncio.{name}": what for what, names in _ASYNCIO.items() for name in names},
    **{f"pathlib.Path.{name}": "I/O" for name in _PATH_METHODS},
}
"""Single functions of modules that are otherwise harmless."""

_PURE: Final = words(
    """
    time.struct_time time.strptime random.Random os.path os.PathLike os.fspath os.sep os.linesep signal.Signals
    queue.Empty queue.Full logging.DEBUG logging.INFO logging.WARNING logging.ERROR logging.CRITICAL
    """
)
"""Parts of the modules above that read nothing: types, parsers and constants."""

_IMPURE_PATH: Final = words(
    """
    exists isfile isdir islink lexists getsize getmtime getatime getctime realpath abspath expanduser expandvars
    samefile ismount
    """
)

IMPURE_METHODS: Final = {"run_in_executor": "a thread or process", "astimezone": "the environment"}
"""Methods refused on any object; ``astimezone`` only without its argument, where it reads the machine's zone."""


@cache
def nondeterministic(name: str) -> str | None:
    """What a full dotted name reaches that workflow code may not; None when it is harmless."""
    if name in _EXACT:
        return _EXACT[name]
    head, _, last = name.rpartition(".")
    if head == "os.path":
        return "I/O" if last in _IMPURE_PATH else None
    if name in _PURE or any(name.startswith(pure + ".") for pure in _PURE):
        return None
    fitting = [
        (len(prefix), what) for what, prefixes in _BY_PREFIX.items() for prefix in prefixes if _within(name, prefix)
    ]
    return max(fitting)[1] if fitting else None


def _within(name: str, prefix: str) -> bool:
    return name.startswith(prefix + ".") or (name == prefix and "." in prefix)
