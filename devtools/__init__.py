"""The developer commands behind ./dev. Host process: python3.11 or later, standard library only."""
