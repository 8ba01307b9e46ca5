"""What each of our processes needs around its work: settings, logging, connections, health, ownership, draining.

Process code only. Import the submodule you need; nothing here is imported by workflow code.
"""
