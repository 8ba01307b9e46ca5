"""The operator page: server-rendered, no script, no external asset. Process code only.

It only reads, but for retrying failed events, redriving dead letters and answering human tasks.
"""
