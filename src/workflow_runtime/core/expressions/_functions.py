"""The five functions an expression may call, written in JSONata. Private to ``core.expressions``.

They are JSONata rather than host functions because a host function cannot tell null from a missing value, and because
calls into Python would escape the step budget. Each text binds one variable and may use the engine's own functions,
which no author's text can reach. Source: RUNTIME.md section 4.
"""

from collections.abc import Mapping
from typing import Final

ALLOWED_FUNCTIONS: Final = ("append", "coalesce", "len", "nowIso", "toString")

NOW_VARIABLE: Final = "_now"
"""Binding that carries workflow time; the checker refuses any text that names it."""

_FIXED: Final = {
    "append": "$_cat:=$append;$append:=function($a,$b){$_cat($exists($a) and $a!=null?$a:[],$exists($b)?$b:[])};",
    "len": '$len:=function($x){$type($x)="array"?$count($x):$type($x)="string"?$length($x):0};',
    "nowIso": f"$nowIso:=function(){{${NOW_VARIABLE}}};",
    "toString": '$toString:=function($x){$exists($x) and $x!=null?$string($x):""};',
}


def prelude(arities: Mapping[str, int]) -> str:
    """JSONata that defines the named functions; ``arities`` gives the most arguments a text passes to each."""
    return "".join(_coalesce(arities[name]) if name == "coalesce" else _FIXED[name] for name in sorted(arities))


def _coalesce(arity: int) -> str:
    names = [f"$v{index}" for index in range(max(arity, 1))]
    choice = "".join(f"$exists({name}) and {name}!=null?{name}:" for name in names)
    return f"$coalesce:=function({','.join(names)}){{{choice}null}};"
