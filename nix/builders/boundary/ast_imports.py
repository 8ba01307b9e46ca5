"""The references made by import statements, in every body and spelling. Build process."""

import ast
from collections.abc import Iterator

from boundary.ast_sites import Site
from boundary.references import Reference, Spot
from boundary.sources import Module


def import_references(module: Module, site: Site) -> Iterator[Reference]:
    """The modules an ``import`` or ``from`` statement names; nothing for any other statement."""
    statement = site.statement
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            yield _reference(module, site, alias.name, None, "import" + (" … as" if alias.asname else ""))
    elif isinstance(statement, ast.ImportFrom):
        target = absolute_target(module, statement)
        relative = "relative " if statement.level else ""
        for alias in statement.names:
            if alias.name == "*":
                yield _reference(module, site, target, None, f"{relative}from … import *")
            else:
                yield _reference(module, site, target, alias.name, f"{relative}from … import")


def absolute_target(module: Module, statement: ast.ImportFrom) -> str:
    """The absolute name behind a ``from`` statement; a relative one that leaves the tree keeps its dots."""
    if not statement.level:
        return statement.module or ""
    parts = module.package.split(".") if module.package else []
    kept = len(parts) - (statement.level - 1)
    if kept < 1:
        return "." * statement.level + (statement.module or "")
    return ".".join([*parts[:kept], *([statement.module] if statement.module else [])])


def _reference(module: Module, site: Site, target: str, attribute: str | None, form: str) -> Reference:
    line = site.statement.lineno
    end = site.statement.end_lineno or line
    spot = Spot(module.name, module.display, line, end, module.source_line(line), site.context)
    return Reference(spot, target, form, site.certainty, attribute)
