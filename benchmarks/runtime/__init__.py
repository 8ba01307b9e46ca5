"""Measures authored runs beside the same workflows written by hand, on one pair of servers. Host process only."""
