"""An e-mail body as the rich-text blocks a comment is made of. Pure; called from workflow code.

The blocks are those of the BlockNote editor: ``{type, props, content}`` with inline ``text`` and ``link`` items.
"""

from typing import Any, Final

from workflow_runtime.core.machine._email_html import (
    BLOCK_ELEMENTS,
    MAX_OPEN_ELEMENTS,
    Attributes,
    SkippingParser,
    safe_link,
)

_STYLES: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "s": "strike",
    "code": "code",
}
_HEADINGS: Final = {"h1": 1, "h2": 2, "h3": 3, "h4": 3, "h5": 3, "h6": 3}


def render_comment_blocks(text: str | None, html: str | None) -> list[dict[str, Any]]:
    """The blocks of a body; the HTML wins over the text, an empty body gives one empty paragraph."""
    blocks = _from_html(html) if html and html.strip() else _from_text(text or "")
    return blocks or [_block("paragraph", {}, [])]


def _from_text(text: str) -> list[dict[str, Any]]:
    lines = (line.rstrip() for line in text.strip().splitlines())
    return [_block("paragraph", {}, [_span(line, {})] if line else []) for line in lines]


def _from_html(html: str) -> list[dict[str, Any]]:
    renderer = _Renderer()
    renderer.feed(html)
    renderer.close()
    renderer.end_block()
    return renderer.blocks


class _Renderer(SkippingParser):
    def __init__(self) -> None:
        super().__init__(skip_quotes=False)
        self.blocks: list[dict[str, Any]] = []
        self._content: list[dict[str, Any]] = []
        self._kind: tuple[str, dict[str, Any]] = ("paragraph", {})
        self._lists: list[str] = []
        self._styles: list[str] = []
        self._link: str | None = None

    def opened(self, tag: str, attributes: Attributes) -> None:
        if tag == "br":
            self._add("\n")
        elif tag in BLOCK_ELEMENTS:
            self._begin_block(tag)
        elif tag == "a":
            self._link = safe_link(attributes)
        elif tag in _STYLES and len(self._styles) < MAX_OPEN_ELEMENTS:
            self._styles.append(tag)

    def closed(self, tag: str) -> None:
        if tag in ("ul", "ol") and tag in self._lists:
            self._lists.pop()
        if tag in BLOCK_ELEMENTS:
            self.end_block()
        elif tag == "a":
            self._link = None
        elif tag in self._styles:
            self._styles.remove(tag)

    def text(self, data: str) -> None:
        words = " ".join(data.split())
        if words:
            lead = " " if data[0].isspace() and self._content else ""
            self._add(lead + words + (" " if data[-1].isspace() else ""))
        elif self._content:
            self._add(" ")

    def end_block(self) -> None:
        """Close the block under way; blocks without text are dropped."""
        content = _trimmed(self._content)
        if content:
            self.blocks.append(_block(*self._kind, content))
        self._content, self._kind = [], ("paragraph", {})

    def _begin_block(self, tag: str) -> None:
        self.end_block()
        if tag in ("ul", "ol"):
            self._lists = [*self._lists[-MAX_OPEN_ELEMENTS:], tag]
        elif tag == "li":
            self._kind = ("numberedListItem" if self._lists[-1:] == ["ol"] else "bulletListItem", {})
        elif tag in _HEADINGS:
            self._kind = ("heading", {"level": _HEADINGS[tag]})

    def _add(self, text: str) -> None:
        span = _span(text, {_STYLES[tag]: True for tag in self._styles})
        if self._link:
            self._content.append({"type": "link", "href": self._link, "content": [span]})
        else:
            self._content.append(span)


def _trimmed(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Content whose first and last item show something."""
    visible = [index for index, item in enumerate(content) if _shown(item).strip()]
    if not visible:
        return []
    trimmed = content[visible[0] : visible[-1] + 1]
    if trimmed[-1]["type"] == "text":
        trimmed[-1] = {**trimmed[-1], "text": trimmed[-1]["text"].rstrip()}
    return trimmed


def _shown(item: dict[str, Any]) -> str:
    return str(item["text"] if item["type"] == "text" else item["content"][0]["text"])


def _block(kind: str, props: dict[str, Any], content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": kind, "props": props, "content": content}


def _span(text: str, styles: dict[str, bool]) -> dict[str, Any]:
    return {"type": "text", "text": text, "styles": styles}
