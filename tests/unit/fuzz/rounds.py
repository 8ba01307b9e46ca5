"""Runs a test many times with a random generator of its own each time; a failure says how to repeat that one round.

Hypothesis searches cleverly at about a thousand examples a second at best; this searches plainly at ten times that.
"""

import os
import random
from collections.abc import Callable

SEED = int(os.environ.get("FUZZ_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
FACTOR = float(os.environ.get("FUZZ_FACTOR", "1"))
"""How many times the usual number of rounds are made."""
ONLY = os.environ.get("FUZZ_ROUND")
"""The one round to make."""


def rounds(count: int) -> Callable[[Callable[[random.Random], None]], Callable[[], None]]:
    """Call the test with ``count`` generators; each depends on the seed and the round's number alone."""

    def many(test: Callable[[random.Random], None]) -> Callable[[], None]:
        def run() -> None:
            for number in [int(ONLY)] if ONLY else range(int(count * FACTOR)):
                try:
                    test(random.Random(f"{SEED} {number}"))
                except BaseException as error:
                    error.add_note(f"repeat with FUZZ_SEED={SEED} FUZZ_ROUND={number}")
                    raise

        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return run

    return many
