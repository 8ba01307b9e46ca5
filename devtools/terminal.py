"""Words for a terminal: nothing that came in a message may steer it. Host process only."""

import re
from datetime import UTC, datetime

_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def plain(value: object) -> str:
    r"""``value`` as one line of text, with control and direction characters as ``\xNN``.

    >>> plain("a\x1b[2Jb\nc")
    'a\\x1b[2Jb\\nc'
    """
    return _STEERING.sub(lambda found: repr(found.group())[1:-1], str(value))


def shortened(value: object, width: int) -> str:
    """``plain`` text of at most ``width`` characters.

    >>> shortened("too long to be shown", 9)
    'too long…'
    """
    text = plain(value)
    return text if len(text) <= width else f"{text[: width - 1]}…"


def moment(text: str | None, now: datetime | None = None) -> str:
    """A time as it came and how far it is from now.

    >>> moment("2026-01-31T09:30:00.000Z", datetime(2026, 1, 31, 11, 0, tzinfo=timezone.utc))
    '2026-01-31T09:30:00.000Z (90 min ago)'
    """
    if not text:
        return "-"
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        return plain(text)
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    return f"{plain(text)} ({_span(abs(seconds))} ago)" if seconds >= 0 else f"{plain(text)} (in {_span(-seconds)})"


def _span(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length or (unit == "min" and seconds >= length):
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def facts(rows: "list[tuple[str, str]]", indent: str = "  ") -> str:
    """Names and values below each other; a name that is empty continues the row above.

    >>> print(facts([("at", "noon"), ("attempts", "3")]))
      at        noon
      attempts  3
    """
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{indent}{name.ljust(width)}  {value}".rstrip() for name, value in rows)
