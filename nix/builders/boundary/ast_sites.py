"""Every statement of a module with the conditions and the scope it stands under. Build process."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from boundary.ast_guards import runtime_truth, suppresses_import_errors, swallows_import_errors, type_checking_names
from boundary.references import Certainty

_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Site:
    """A statement, the definitions around it (outermost first) and whether it runs, may run, or is for types only."""

    statement: ast.stmt
    owners: tuple[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, ...]
    certainty: Certainty

    @property
    def context(self) -> str:
        """Where the statement stands, in words."""
        if not self.owners:
            return "module body"
        kind = "class" if isinstance(self.owners[-1], ast.ClassDef) else "function"
        return f"{kind} {'.'.join(owner.name for owner in self.owners)}"


def sites(tree: ast.Module, text: str) -> Iterator[Site]:
    """Every statement of the module with source ``text``, in source order."""
    walker = _Walker(type_checking_names(tree, text))
    yield from walker.block(tree.body, Site(ast.Pass(), (), Certainty.RUNTIME))


class _Walker:
    def __init__(self, flags: frozenset[str]) -> None:
        self._flags = flags

    def block(self, body: list[ast.stmt], around: Site) -> Iterator[Site]:
        for statement in body:
            here = replace(around, statement=statement)
            yield here
            yield from self._inside(statement, here)

    def _inside(self, statement: ast.stmt, here: Site) -> Iterator[Site]:
        match statement:
            case ast.If() | ast.While():
                yield from self._conditional(statement, here)
            case ast.Try() | ast.TryStar():
                yield from self._attempt(statement, here)
            case ast.With() | ast.AsyncWith() if suppresses_import_errors(statement):
                yield from self.block(statement.body, _weakened(here, Certainty.GUARDED))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield from self.block(statement.body, replace(here, owners=(*here.owners, statement)))
            case ast.Match():
                for case in statement.cases:
                    yield from self.block(case.body, _weakened(here, Certainty.GUARDED))
            case _:
                for block in ("body", "orelse"):
                    yield from self.block(getattr(statement, block, []), here)

    def _conditional(self, statement: ast.If | ast.While, here: Site) -> Iterator[Site]:
        truth = runtime_truth(statement.test, self._flags)
        for body, runs in ((statement.body, truth), (statement.orelse, None if truth is None else not truth)):
            weakening = {None: Certainty.GUARDED, True: Certainty.RUNTIME, False: Certainty.TYPE_ONLY}[runs]
            yield from self.block(body, _weakened(here, weakening))

    def _attempt(self, statement: ast.Try | ast.TryStar, here: Site) -> Iterator[Site]:
        guard = _weakened(here, Certainty.GUARDED) if swallows_import_errors(statement) else here
        yield from self.block(statement.body, guard)
        for handler in statement.handlers:
            yield from self.block(handler.body, _weakened(here, Certainty.GUARDED))
        yield from self.block(statement.orelse, here)
        yield from self.block(statement.finalbody, here)


def _weakened(site: Site, certainty: Certainty) -> Site:
    """The site under one more condition; a condition never makes a statement more certain."""
    order = (Certainty.RUNTIME, Certainty.GUARDED, Certainty.TYPE_ONLY)
    return replace(site, certainty=max(site.certainty, certainty, key=order.index))
