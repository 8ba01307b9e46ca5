"""What lives as long as the process is looked at no more; what is dropped later is still found."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from workflow_runtime.service.collecting import spare_what_lives


class Knot:
    """Refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """The collector of this process, as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_is_there_is_spared_and_what_comes_later_is_freed() -> None:
    spare_what_lives()
    assert gc.get_freeze_count() > 0
    dropped = weakref.ref(Knot())
    gc.collect()
    assert dropped() is None
