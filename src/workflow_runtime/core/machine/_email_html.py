"""HTML of e-mails as safe HTML and as plain text. Pure; called from workflow code.

Event driven, so that depth costs no stack: a mail is written by strangers.
"""

import re
from html import escape
from html.parser import HTMLParser
from typing import Final

_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LISTS: Final = frozenset({"li", "ol", "ul"})
_ROWS: Final = frozenset({"table", "td", "th", "tr"})
_INLINE: Final = frozenset({"a", "b", "code", "em", "i", "s", "span", "strong", "sub", "sup", "u"})
_PLAIN_BLOCKS: Final = frozenset({"blockquote", "div", "hr", "p", "pre"})
BLOCK_ELEMENTS: Final = _PLAIN_BLOCKS | _HEADINGS | _LISTS | _ROWS | {"address", "article", "section"}
"""Elements that begin on a line of their own."""

_KEPT: Final = _PLAIN_BLOCKS | _HEADINGS | _LISTS | _ROWS | _INLINE | {"br", "tbody", "thead"}
_DROPPED: Final = frozenset(
    {"head", "iframe", "math", "noscript", "object", "script", "style", "svg", "template", "title"}
)
_VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_QUOTE_MARKS: Final = re.compile(
    r"\b(gmail_quote|yahoo_quoted|moz-cite-prefix|protonmail_quote|appendonsend|divRplyFwdMsg|OLK_SRC_BODY_SECTION)\b"
)
_SAFE_LINK: Final = re.compile(r"^(https?:|mailto:|tel:)", re.IGNORECASE)

MAX_OPEN_ELEMENTS: Final = 256
"""Elements nested deeper keep their text and lose their markup: finding the start of one must not cost its depth."""

type Attributes = list[tuple[str, str | None]]


def safe_link(attributes: Attributes) -> str | None:
    """The address of a link, if it is one a reader may follow: http, https, mailto or tel."""
    address = (dict(attributes).get("href") or "").strip()
    return address if _SAFE_LINK.match(address) else None


class SkippingParser(HTMLParser):
    """Calls ``opened``, ``closed`` and ``text`` for what a reader would see, and optionally skips quoted history."""

    def __init__(self, *, skip_quotes: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._skip_quotes = skip_quotes
        self._skipping: str | None = None
        self._depth = 0

    def opened(self, tag: str, attributes: Attributes) -> None:
        """An element begins (or stands, when it is a void one)."""

    def closed(self, tag: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """Text outside skipped elements, entities resolved."""

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if self._skipping is not None:
            self._depth += tag == self._skipping
        elif tag in _DROPPED or (self._skip_quotes and tag not in _VOID and _is_quote(tag, attrs)):
            self._skipping, self._depth = tag, 1
        else:
            self.opened(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        if tag in _VOID:
            self.handle_starttag(tag, attrs)
        else:
            self.handle_starttag(tag, attrs)
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._skipping is None:
            self.closed(tag)
        elif tag == self._skipping:
            self._depth -= 1
            if self._depth == 0:
                self._skipping = None

    def handle_data(self, data: str) -> None:
        if self._skipping is None:
            self.text(data)


def _is_quote(tag: str, attributes: Attributes) -> bool:
    values = dict(attributes)
    marks = f"{values.get('class') or ''} {values.get('id') or ''}"
    return (tag == "blockquote" and values.get("type") == "cite") or _QUOTE_MARKS.search(marks) is not None


class _Cleaner(SkippingParser):
    def __init__(self) -> None:
        super().__init__(skip_quotes=True)
        self.parts: list[str] = []
        self._open: list[str] = []

    def opened(self, tag: str, attributes: Attributes) -> None:
        if tag not in _KEPT or len(self._open) >= MAX_OPEN_ELEMENTS:
            return
        link = safe_link(attributes) if tag == "a" else None
        self.parts.append(f'<a href="{escape(link)}">' if link else f"<{tag}>")
        if tag not in _VOID:
            self._open.append(tag)

    def closed(self, tag: str) -> None:
        if tag not in self._open:
            return
        while self._open:
            last = self._open.pop()
            self.parts.append(f"</{last}>")
            if last == tag:
                return

    def text(self, data: str) -> None:
        self.parts.append(escape(data, quote=False))

    def finish(self) -> str:
        self.close()
        self.parts.extend(f"</{tag}>" for tag in reversed(self._open))
        return "".join(self.parts).strip()


class _Text(SkippingParser):
    def __init__(self) -> None:
        super().__init__(skip_quotes=True)
        self.parts: list[str] = []

    def opened(self, tag: str, attributes: Attributes) -> None:
        if tag in BLOCK_ELEMENTS or tag == "br":
            self.parts.append("\n")

    def closed(self, tag: str) -> None:
        if tag in BLOCK_ELEMENTS and tag not in _VOID:
            self.parts.append("\n")

    def text(self, data: str) -> None:
        self.parts.append(" ".join(data.split("\n")))


def clean_html(html: str) -> str:
    """The HTML with allow-listed elements only, every one closed, without scripts, styles and quoted history."""
    parser = _Cleaner()
    parser.feed(html)
    return parser.finish()


def html_to_text(html: str) -> str:
    """The readable text, a line for each block element, at most one blank line in a row."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = [" ".join(line.split()) for line in "".join(parser.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
