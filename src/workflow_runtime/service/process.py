"""The frame of every main: a ServiceError becomes one line on stderr and an exit code. Process code only.

Exit codes: 0 drained, 1 failed (a dependency stayed unreachable, a port is taken), 2 misuse (wrong settings).
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from workflow_runtime.service.errors import ServiceError


def run(name: str, main: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run ``main`` to its end and give the exit code; an unexpected exception keeps its traceback."""
    try:
        asyncio.run(main())
    except ServiceError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return error.exit_code
    return 0
