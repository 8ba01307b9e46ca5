"""The operator page: server-rendered, reading only, no script, no external asset. Process code only."""
