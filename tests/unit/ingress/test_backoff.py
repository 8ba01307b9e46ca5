"""The pause between attempts of one target: doubling, spread, and never beyond the cap (G4)."""

from typing import Any

import pytest

from workflow_worker.ingress import IngressSettings
from workflow_worker.ingress.delivery import Delivery

UNUSED: Any = None
"""A store or gateway that a pause does not need."""
SETTINGS = IngressSettings(first_retry_seconds=1.0, max_retry_seconds=300.0)


def delivery(jitter: float) -> Delivery:
    return Delivery(UNUSED, UNUSED, UNUSED, UNUSED, SETTINGS, jitter=lambda: jitter)


def test_the_pause_doubles_up_to_the_cap() -> None:
    pauses = [delivery(0.5).backoff_seconds(attempts) for attempts in range(1, 13)]
    assert pauses == pytest.approx([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])


@pytest.mark.parametrize(("jitter", "share"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_pauses_are_spread_by_a_fifth(jitter: float, share: float) -> None:
    for attempts in (1, 5, 500, 100_000):
        middle = delivery(0.5).backoff_seconds(attempts)
        assert delivery(jitter).backoff_seconds(attempts) == pytest.approx(share * middle)
