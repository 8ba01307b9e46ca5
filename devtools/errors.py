"""The one error a developer command shows as a single line. Host process only."""


class DevError(Exception):
    """Something the person at the terminal can act on: says what happened, to what, and what to do."""
