"""Why a process does not start. Process code only.

Hierarchy::

    ServiceError       carries ``exit_code``; its message is the one line printed on stderr
      MisuseError      2: the settings are wrong, trying again cannot help
      StartupError     1: the surroundings are not as needed (port taken, manifest unreadable)
        UnreachableError   a dependency did not answer before the deadline
"""

from typing import ClassVar


class ServiceError(Exception):
    """A reason to end the process, with the exit code that says which kind."""

    exit_code: ClassVar[int] = 1


class MisuseError(ServiceError):
    """The process was asked for something it must refuse; a restart changes nothing."""

    exit_code = 2


class StartupError(ServiceError):
    """Something around the process is not as it has to be; a restart may help."""


class UnreachableError(StartupError):
    """``name`` at ``address`` did not answer within ``seconds``."""

    def __init__(self, name: str, address: str, seconds: float, reason: str) -> None:
        super().__init__(
            f"{name} at {address} is unreachable after {seconds:g} s ({reason}); "
            f"check the address and that it is running, or raise CONNECT_DEADLINE_SECONDS"
        )
