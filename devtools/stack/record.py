"""What `./dev up` remembers of the stack it started, so that down, run and a second up find it. Host process only."""

import json
from dataclasses import asdict, dataclass, field
from typing import Literal

from devtools.errors import DevError
from devtools.paths import STATE

_FILE = STATE / "stack.json"

Mode = Literal["compose", "embedded"]


@dataclass(frozen=True)
class Stack:
    """A started stack. ``ports`` maps variable names to numbers, ``definition`` is the generated file it runs from."""

    mode: Mode
    definition: str
    ports: dict[str, int]
    pid: int | None = None
    started: str | None = None
    engine: list[str] = field(default_factory=list)
    project: str | None = None

    def environment(self) -> dict[str, str]:
        """Ports as environment variables."""
        return {name: str(number) for name, number in self.ports.items()}


def load() -> Stack | None:
    """The stack of this checkout, or None when nothing was started."""
    try:
        return Stack(**json.loads(_FILE.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise DevError(f"{_FILE} cannot be read ({error}): stop what runs, then remove it") from None


def save(stack: Stack) -> None:
    """Remember a started stack."""
    STATE.mkdir(exist_ok=True)
    _FILE.write_text(json.dumps(asdict(stack), indent=2) + "\n")


def forget() -> None:
    """There is no stack any more."""
    _FILE.unlink(missing_ok=True)
