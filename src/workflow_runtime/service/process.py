"""The frame of every main: a ServiceError becomes one line on stderr and an exit code. Process code only.

Exit codes: 0 drained, 1 failed (a dependency stayed unreachable, a port is taken), 2 misuse (wrong settings).
"""

import asyncio
import dataclasses
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

from temporalio.runtime import LoggingConfig, LoggingFormat, Runtime, TelemetryConfig

from workflow_runtime.service.errors import ServiceError

_TELEMETRY: Final = TelemetryConfig(logging=dataclasses.replace(LoggingConfig.default, format=LoggingFormat.JSON))
"""Temporal's native code writes to stdout by itself. Its lines have their own fields, and are JSON like ours."""


def run(name: str, main: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run ``main`` to its end and give the exit code; an unexpected exception keeps its traceback."""
    Runtime.set_default(Runtime(telemetry=_TELEMETRY))
    try:
        asyncio.run(main())
    except ServiceError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return error.exit_code
    return 0
