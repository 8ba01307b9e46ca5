"""Something to be written down before an activity answers, beside its own first write. Activity code only."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from workflow_runtime.service.patience import until_store_answers

type Write = Callable[[], Awaitable[Any]]
"""Writes to the store; repeating it changes nothing."""


class Errand:
    """A write that is done once, as soon as something else goes to the store: calls made together travel together."""

    def __init__(self, write: Write | None) -> None:
        self._write = write

    async def run(self) -> None:
        """Do it now, unless it has been done."""
        write, self._write = self._write, None
        if write is not None:
            await until_store_answers(write)

    async def run_beside[T](self, work: Awaitable[T]) -> T:
        """The result of ``work``, once both have ended; raises what either failed with, the errand's first."""
        if self._write is None:
            return await work
        # Neither is left running when the other fails: what it writes must not come after the activity has ended.
        done, result = await asyncio.gather(self.run(), work, return_exceptions=True)
        for outcome in (done, result):
            if isinstance(outcome, BaseException):
                raise outcome
        return result  # type: ignore[return-value]
