"""Five-field cron texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_runtime.core.cron import cron_problem


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "0 9 * * 1-5",
        "*/15 0-6,18-23 * * *",
        "0 0 1 JAN,jul *",
        "5 4 * * SUN",
        "0 0 29 2 *",
        "0 0 31 1,2 *",
        "59 23 31 12 7",
        "10/5 * * * *",
        "0 0 30 2 MON",
    ],
)
def test_usable_texts_have_no_problem(text: str) -> None:
    assert cron_problem(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("* * * * * *", "6 fields"),
        ("@daily", "1 fields"),
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of month"),
        ("* * * 13 *", "month"),
        ("* * * * 8", "day of week"),
        ("*/0 * * * *", "step"),
        ("5-1 * * * *", "backwards"),
        ("1,,2 * * * *", "no value"),
        ("*-5 * * * *", "no value"),
        ("a * * * *", "minute"),
        ("* * L * *", "day of month"),
        ("* * * * MON#1", "day of week"),
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 4,6 *", "never fires"),
    ],
)
def test_problems_are_named(text: str, reason: str) -> None:
    assert reason in (cron_problem(text) or "")


@given(st.text(alphabet="*0123456789-,/ JANMOFRI#L?", max_size=20))
def test_no_text_can_raise(text: str) -> None:
    assert cron_problem(text) is None or isinstance(cron_problem(text), str)
