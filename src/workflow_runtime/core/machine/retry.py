"""When a failed step is tried again, and after how long. Pure; called from workflow code."""

from typing import Final

from workflow_runtime.core.definition import MAX_DURATION_MS, RetryPolicy
from workflow_runtime.core.errors import Category, Failure

UNCATCHABLE: Final = frozenset({Category.CANCELLATION, Category.CORRUPTION})
"""What no retry, onError, try or forEach may handle."""

JITTER: Final = 0.2


def may_retry(policy: RetryPolicy | None, tries: int, failure: Failure) -> bool:
    """Whether attempt ``tries`` (from 1) of at most ``maxAttempts`` in total is followed by another."""
    if policy is None or failure.category in UNCATCHABLE or tries >= policy.max_attempts:
        return False
    return policy.retry_on is None or failure.category in policy.retry_on


def retry_delay_ms(policy: RetryPolicy, tries: int, chance: float) -> float:
    """Delay after attempt ``tries``: min(maxDelayMs, backoffMs·multiplier^(tries-1)), ±20 % if ``jitter``.

    ``chance`` is a number in [0, 1); 0.5 means no deviation.
    """
    ceiling = MAX_DURATION_MS if policy.max_delay_ms is None else policy.max_delay_ms
    try:
        delay = min(ceiling, policy.backoff_ms * float(policy.backoff_multiplier) ** (tries - 1))
    except OverflowError:
        delay = ceiling if policy.backoff_ms else 0
    if policy.jitter:
        delay *= 1 + JITTER * (2 * chance - 1)
    return min(delay, MAX_DURATION_MS)
