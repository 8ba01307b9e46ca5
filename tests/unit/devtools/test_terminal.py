"""Words for a terminal: one line, no steering, times a person can place."""

from datetime import UTC, datetime

import pytest
from devtools.terminal import facts, moment, plain, shortened

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("ä €😀", "ä €😀"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[31m\x9b\x00", "\\x1b[31m\\x9b\\x00"),
        ("\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"),
        ("\ud800", "\\ud800"),
        (7, "7"),
    ],
)
def test_control_and_direction_characters_are_spelled_out(value: object, shown: str) -> None:
    assert plain(value) == shown


def test_long_text_is_cut_with_a_mark() -> None:
    assert shortened("x" * 5, 5) == "xxxxx"
    assert shortened("x" * 6, 5) == "xxxx…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-01-31T11:59:30Z", "2026-01-31T11:59:30Z (30 s ago)"),
        ("2026-01-31T11:58:59", "2026-01-31T11:58:59 (1 min ago)"),
        ("2026-01-31T09:00:00+01:00", "2026-01-31T09:00:00+01:00 (4 h ago)"),
        ("2026-01-21T12:00:00.000Z", "2026-01-21T12:00:00.000Z (10 d ago)"),
        ("2026-01-31T12:00:40Z", "2026-01-31T12:00:40Z (in 40 s)"),
        ("half past\n", "half past\\n"),
        (None, "-"),
    ],
)
def test_a_time_says_how_far_it_is(text: str | None, shown: str) -> None:
    assert moment(text, NOW) == shown


def test_facts_stand_in_columns_and_go_on_below() -> None:
    assert facts([("keys", "a"), ("", "b"), ("outcome", "")]) == "  keys     a\n           b\n  outcome"
