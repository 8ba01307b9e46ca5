"""The developer commands behind ./dev. Runs on the host's own python3 (3.11 or later) with the standard library only."""
