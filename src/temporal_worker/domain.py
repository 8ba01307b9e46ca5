"""What one domain queue serves. Process code only; each queue's module builds one of these."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Domain:
    """The workflows and activities registered on ``queue``."""

    queue: str
    workflows: tuple[type, ...]
    activities: tuple[Callable[..., Any], ...]
