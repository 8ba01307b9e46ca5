"""What may not be reached from code that runs inside a Temporal workflow, by full name. Data only. Build process.

Workflow code is replayed: it may ask only ``temporalio.workflow`` for time, chance, waiting and work. asyncio itself is
replaced by Temporal's deterministic loop, so only those parts are listed that leave it or whose order is not fixed.
"""

from functools import cache
from typing import Final

_BY_PREFIX: Final[dict[str, tuple[str, ...]]] = {
    "a clock": ("time",),
    "chance": ("random", "secrets"),
    "a thread or process": (
        "threading", "_thread", "multiprocessing", "concurrent.futures", "subprocess", "signal", "sched", "queue",
    ),
    "the network": (
        "socket", "ssl", "select", "selectors", "socketserver", "http.client", "http.server", "urllib.request", "smtplib",
        "ftplib", "imaplib", "poplib", "xmlrpc", "redis", "httpx2", "httpcore2", "httpx", "requests", "aiohttp", "uvicorn",
        "starlette", "fastapi", "openai", "aiosmtplib", "temporalio.client", "temporalio.worker", "temporalio.service",
    ),
    "I/O": (
        "io.open", "shutil", "tempfile", "glob", "fileinput", "sqlite3", "dbm", "shelve", "mmap", "fcntl", "logging",
        "structlog", "prometheus_client", "os", "importlib.resources",
    ),
    "the environment": (
        "os.environ", "os.environb", "os.getenv", "os.getenvb", "os.cpu_count", "platform", "locale", "getpass", "pwd",
        "sys.argv", "sys.stdin", "dotenv",
    ),
}  # fmt: skip

_EXACT: Final[dict[str, str]] = {
    "datetime.datetime.now": "a clock",
    "datetime.datetime.utcnow": "a clock",
    "datetime.datetime.today": "a clock",
    "datetime.date.today": "a clock",
    "uuid.uuid1": "chance",
    "uuid.uuid4": "chance",
    "uuid.getnode": "the environment",
    "os.urandom": "chance",
    "os.getrandom": "chance",
    "builtins.open": "I/O",
    "builtins.print": "I/O",
    "builtins.input": "I/O",
    "sys.stdout": "I/O",
    "sys.stderr": "I/O",
    "asyncio.to_thread": "a thread or process",
    "asyncio.create_subprocess_exec": "a thread or process",
    "asyncio.create_subprocess_shell": "a thread or process",
    "asyncio.run": "a thread or process",
    "asyncio.new_event_loop": "a thread or process",
    "asyncio.open_connection": "the network",
    "asyncio.open_unix_connection": "the network",
    "asyncio.start_server": "the network",
    "asyncio.start_unix_server": "the network",
    "asyncio.wait": "an order that is not fixed",
    "asyncio.as_completed": "an order that is not fixed",
    **{
        f"pathlib.Path.{name}": "I/O"
        for name in [
            "open",
            "read_text",
            "read_bytes",
            "write_text",
            "write_bytes",
            "exists",
            "is_file",
            "is_dir",
            "iterdir",
            "glob",
            "rglob",
            "stat",
            "lstat",
            "mkdir",
            "rmdir",
            "unlink",
            "rename",
            "replace",
            "touch",
            "resolve",
            "cwd",
            "home",
            "expanduser",
            "symlink_to",
            "hardlink_to",
            "chmod",
            "walk",
        ]
    },
}

_PURE: Final = frozenset(
    {
        "time.struct_time",
        "time.strptime",
        "random.Random",
        "os.path",
        "os.PathLike",
        "os.fspath",
        "os.sep",
        "os.linesep",
        "signal.Signals",
        "queue.Empty",
        "queue.Full",
        "logging.DEBUG",
        "logging.INFO",
        "logging.WARNING",
        "logging.ERROR",
        "logging.CRITICAL",
    }
)
"""Parts of the modules above that read nothing: types, parsers and constants."""

_IMPURE_PATH: Final = frozenset(
    [
        "exists",
        "isfile",
        "isdir",
        "islink",
        "lexists",
        "getsize",
        "getmtime",
        "getatime",
        "getctime",
        "realpath",
        "abspath",
        "expanduser",
        "expandvars",
        "samefile",
        "ismount",
    ]
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
