"""The operator page: server-rendered, reading only, no script, no external asset. Process code only."""

from workflow_server.page.routes import ROUTER

__all__ = ["ROUTER"]
