"""The errors a developer command shows as a single line. Host process only."""


class DevError(Exception):
    """Something the person at the terminal can act on: says what happened, to what, and what to do."""

    exit_code = 1


class MistakeError(DevError):
    """What was asked for does not exist or cannot be meant: an unknown id, tenant or server."""

    exit_code = 2
