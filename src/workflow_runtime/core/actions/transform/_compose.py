"""``transform.compose_text``: Markdown from a designer's document or from a template. Pure.

A document is ``{version: 1, blocks: [...]}``. Its reference nodes carry ``value``, which the step's expressions have
already filled in (``core.actions.inputs``). Templates are for hand-written definitions: ``{{name}}`` is replaced by
``values.name``, ``{{name.inner}}`` by what stands inside it.
"""

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from workflow_runtime.core.actions.transform._texts import as_text, bounded
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.filters import read_path

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_MARKS: Final = (("code", "`"), ("bold", "**"), ("italic", "_"))
_LISTS: Final = frozenset({"bullet_list_item", "ordered_list_item"})


def compose_text(given: dict[str, Any]) -> Any:
    """``{stable key: text}`` for every output and every template."""
    texts = {name: _fill(text, given.get("values", {}), name) for name, text in given.get("templates", {}).items()}
    for output in given.get("outputs", ()):
        if output["stableKey"] in texts:
            raise ValidationFailure(f"The output {output['stableKey']!r} is made twice.", code="DUPLICATE_OUTPUT")
        texts[output["stableKey"]] = _document(output["document"])
    return {name: bounded(text) for name, text in texts.items()}


def _fill(template: str, values: dict[str, Any], name: str) -> str:
    def replace(found: re.Match[str]) -> str:
        present, value = read_path(values, found.group(1))
        if not present:
            raise ValidationFailure(
                f"The template {name!r} names {found.group(1)!r}, which is not in values.", code="MISSING_REFERENCE"
            )
        return as_text(value)

    return _PLACEHOLDER.sub(replace, template)


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
