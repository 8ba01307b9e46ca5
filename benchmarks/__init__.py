"""Measurements; each prints ratios taken in one run on one machine. Host process or locked environment."""
