"""``transform.compose_text``: Markdown from a designer's document or from a template. Pure.

A document is ``{version: 1, blocks: [...]}``. Its reference nodes carry ``value``, which the step's expressions have
already filled in (``core.actions.inputs``). Templates are for hand-written definitions: ``{{name}}`` is replaced by
``values.name``, ``{{name.inner}}`` by what stands inside it.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final

from workflow_runtime.core.actions.transform._texts import MAX_TEXT, as_text, bounded, bounded_join
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.filters import read_path

MAX_TEXTS: Final = 2 * MAX_TEXT
"""Characters of all texts of one call together."""

# White space is taken off afterwards: beside the name it would be tried in every division between the three.
_PLACEHOLDER: Final = re.compile(r"\{\{([^{}]*)\}\}")
_MARKS: Final = (("code", "`"), ("bold", "**"), ("italic", "_"))
_LISTS: Final = frozenset({"bullet_list_item", "ordered_list_item"})


def compose_text(given: dict[str, Any]) -> Any:
    """``{stable key: text}`` for every output and every template."""
    texts: dict[str, str] = {}
    for name, text in _composed(given):
        if name in texts:
            raise ValidationFailure(f"The output {name!r} is made twice.", code="DUPLICATE_OUTPUT")
        texts[name] = text
        if sum(map(len, texts.values())) > MAX_TEXTS:
            raise ValidationFailure(f"The texts would have more than {MAX_TEXTS} characters.", code="TEXT_TOO_LONG")
    return texts


def _composed(given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each text when it is asked for: a value may be in them as often as a template has room to name it."""
    for name, template in given.get("templates", {}).items():
        yield name, bounded_join(_filled(template, given.get("values", {}), name))
    for output in given.get("outputs", ()):
        yield output["stableKey"], bounded(_document(output["document"]))


def _filled(template: str, values: dict[str, Any], name: str) -> Iterator[str]:
    position = 0
    for found in _PLACEHOLDER.finditer(template):
        path = found.group(1).strip()
        present, value = read_path(values, path)
        if not present:
            raise ValidationFailure(
                f"The template {name!r} names {path!r}, which is not in values.", code="MISSING_REFERENCE"
            )
        yield template[position : found.start()]
        yield as_text(value)
        position = found.end()
    yield template[position:]


def _document(document: dict[str, Any]) -> str:
    parts: list[str] = []
    for kind, blocks in groupby(document["blocks"], key=lambda block: str(block["type"])):
        if kind in _LISTS:
            parts.append(_list(kind, blocks))
        else:
            parts.extend(_block(block) for block in blocks)
    return "\n\n".join(parts)


def _list(kind: str, blocks: Iterable[dict[str, Any]]) -> str:
    lines = (_inline(block["children"]) for block in blocks)
    return "\n".join(
        f"- {line}" if kind == "bullet_list_item" else f"{number}. {line}" for number, line in enumerate(lines, 1)
    )


def _block(block: dict[str, Any]) -> str:
    if block["type"] == "code_block":
        fence = "````" if "```" in block["text"] else "```"
        return f"{fence}\n{block['text']}\n{fence}"
    text = _inline(block["children"])
    if block["type"] == "heading":
        return f"{'#' * int(block['level'])} {text}"
    if block["type"] == "blockquote":
        return "\n".join(f"> {line}" for line in text.split("\n"))
    return text


def _inline(children: Iterable[dict[str, Any]]) -> str:
    return "".join(as_text(node.get("value")) if node["type"] == "reference" else _marked(node) for node in children)


def _marked(node: dict[str, Any]) -> str:
    text = node["text"].replace("\n", "  \n")
    marks = node.get("marks", ())
    for mark, sign in _MARKS:
        if mark in marks and text:
            text = f"{sign}{text}{sign}"
    return f"[{text}]({node['href']})" if "link" in marks and node.get("href") else text
