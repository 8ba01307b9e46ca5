"""The tables of forms in ``forms.txt`` and ``undecidable.txt``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Form:
    """One way to reach a module, and who sees it. ``seen`` and ``certainty`` are what the report says of it."""

    name: str
    seen: str
    certainty: str
    source: str

    @property
    def is_dynamic(self) -> bool:
        return self.certainty == "dynamic literal"


def _sections(file: str) -> Iterator[tuple[str, str]]:
    text = (_HERE / file).read_text(encoding="utf-8")
    for section in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        heading, _, source = section.partition("\n")
        yield heading, re.sub(r"^### .*\n", "", source, flags=re.MULTILINE).rstrip("\n") + "\n"


def _forms() -> Iterator[Form]:
    for heading, source in _sections("forms.txt"):
        name, seen, certainty = heading.split(" | ")
        yield Form(name, seen, certainty, source)


def written(form: Form, module: str) -> str:
    """The form's source, naming ``module`` (``lib.boot.engine`` or ``lib.core.engine``)."""
    package = module.rpartition(".")[0]
    return Template(form.source).substitute(
        m=module,
        p=package,
        n=package.rpartition(".")[2],
        top=module.partition(".")[0],
        path=module.replace(".", "/"),
        first=module[:6],
        rest=module[6:],
        reversed=module[::-1],
    )


FORMS = list(_forms())

COMPUTED = {
    form.name: Template(form.source.replace("'${m}'", "input()")).substitute(n="boot", p="lib.boot", top="lib")
    for form in FORMS
    if form.is_dynamic and "'${m}'" in form.source and form.name not in ("sys.modules entry", "sys.modules get")
}
"""Every loader and alias that takes a plain name, given one that is typed in when the program runs."""

UNDECIDABLE = {name: Template(source) for name, source in _sections("undecidable.txt")}
"""Lines whose target the source does not fix."""
