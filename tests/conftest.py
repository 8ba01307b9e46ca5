"""Fixtures of the whole suite, and how properties are tested: as slowly as the machine is, never against a clock."""

from hypothesis import settings

pytest_plugins = [
    "tests.fixtures.recording",
    "tests.fixtures.servers",
    "tests.fixtures.browser",
    "tests.fixtures.side_by_side",
]

settings.register_profile("unhurried", deadline=None, print_blob=True)
settings.load_profile("unhurried")
