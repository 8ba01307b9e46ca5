"""E-mail steps: the new part of a reply, safe HTML, comment blocks, and bounded work on hostile input."""

from typing import Any

import pytest
from tests.fakes.machine import DryRun, define, expr

from workflow_runtime.core.machine import Failed
from workflow_runtime.core.machine._email_blocks import render_comment_blocks
from workflow_runtime.core.machine._email_html import MAX_OPEN_ELEMENTS, clean_html, html_to_text
from workflow_runtime.core.machine._email_reply import parse_body

HISTORY = "\n\n> an older line\n> another\n"


@pytest.mark.parametrize(
    ("body", "strategy", "confidence"),
    [
        ("Works now.\n\n--- Please reply above this line ---\nold", "delimiter", "high"),
        ("Works now.\n\nOn Tue, 3 Mar 2026 at 10:00, Ada <a@example.org> wrote:" + HISTORY, "reply-header", "medium"),
        ("Works now.\n\nOn Tue, 3 Mar 2026 at 10:00, Ada\n<a@example.org> wrote:" + HISTORY, "reply-header", "medium"),
        ("Works now.\n\nAm 3.3.2026 um 10:00 schrieb Ada schrieb:" + HISTORY, "reply-header", "medium"),
        ("Works now.\n\n-----Original Message-----\nold", "original-message", "medium"),
        ("Works now.\n\nFrom: Ada\nSent: Tuesday\nTo: Bob\n\nold", "header-block", "medium"),
        ("Works now." + HISTORY, "quoted-lines", "low"),
        ("Works now.\n-- \nAda\nHead of Things", "signature", "low"),
        ("Works now.\n\nSent from my phone", "signature", "low"),
        ("Works now.", "whole-message", "low"),
    ],
)
def test_only_the_new_part_of_a_reply_is_left(body: str, strategy: str, confidence: str) -> None:
    parsed = parse_body(body, None)
    assert parsed["sanitizedText"] == "Works now."
    assert (parsed["strategy"], parsed["confidence"]) == (strategy, confidence)
    assert parsed["warnings"] == []


@pytest.mark.parametrize(
    "text", ["From: here it goes wrong\nplease look", "I wrote:\na list", "> quoted\nand answered below it"]
)
def test_text_that_only_resembles_history_is_kept(text: str) -> None:
    assert parse_body(text, None)["sanitizedText"] == text


def test_a_body_of_history_alone_warns() -> None:
    parsed = parse_body("> all of it\n> is old", None)
    assert parsed["sanitizedText"] == ""
    assert len(parsed["warnings"]) == 1


def test_without_text_the_html_is_read() -> None:
    parsed = parse_body(" ", "<p>Works<br>now</p><div class='gmail_quote'>On … wrote: <div>old</div></div>")
    assert parsed["sanitizedText"] == "Works\nnow"
    assert parsed["sanitizedHtml"] == "<p>Works<br>now</p>"


def test_no_body_at_all_is_an_empty_reply() -> None:
    parsed = parse_body(None, None)
    assert (parsed["sanitizedText"], parsed["sanitizedHtml"]) == ("", None)


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("<script>alert(1)</script>ok", "ok"),
        ("<style>a{}</style><p>ok", "<p>ok</p>"),
        ('<p onclick="x()" style="y">ok</p>', "<p>ok</p>"),
        ('<a href="javascript:x()">l</a>', "<a>l</a>"),
        ('<a href=" HTTPS://example.org/?a=1&b=2 ">l</a>', '<a href="HTTPS://example.org/?a=1&amp;b=2">l</a>'),
        ('<a href="mailto:a&quot;b@c">l</a>', '<a href="mailto:a&quot;b@c">l</a>'),
        ("<img src=x onerror=alert(1)>ok", "ok"),
        ("a &lt;b&gt; &amp; c", "a &lt;b&gt; &amp; c"),
        ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"),
        ('new<blockquote type="cite">old<blockquote>older</blockquote></blockquote>!', "new!"),
        ("<blockquote>said by me</blockquote>", "<blockquote>said by me</blockquote>"),
        ("<iframe src=x></iframe><svg><script>x</script></svg>ok", "ok"),
        ("<!-- note --><?php x ?>ok", "ok"),
    ],
)
def test_html_comes_back_with_harmless_elements_only(html: str, clean: str) -> None:
    assert clean_html(html) == clean


def test_the_text_of_html_has_a_line_for_each_block() -> None:
    assert html_to_text("<h1>T</h1><ul><li>a</li><li>b   c</li></ul><p>x</p>") == "T\n\na\n\nb c\n\nx"


def span(text: str, **styles: bool) -> dict[str, Any]:
    return {"type": "text", "text": text, "styles": styles}


def paragraph(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "paragraph", "props": {}, "content": list(content)}


def test_text_becomes_a_paragraph_for_each_line() -> None:
    assert render_comment_blocks("a\n\nb", None) == [paragraph(span("a")), paragraph(), paragraph(span("b"))]


def test_html_becomes_blocks_with_styles_lists_and_links() -> None:
    html = (
        "<h2>Title</h2><p>a <b>bold <i>both</i></b> <a href='https://example.org'>link</a></p>"
        "<ol><li>one</li></ol><ul><li>two</li></ul>"
    )
    assert render_comment_blocks("ignored", html) == [
        {"type": "heading", "props": {"level": 2}, "content": [span("Title")]},
        paragraph(
            span("a "),
            span("bold ", bold=True),
            span("both", bold=True, italic=True),
            span(" "),
            {"type": "link", "href": "https://example.org", "content": [span("link")]},
        ),
        {"type": "numberedListItem", "props": {}, "content": [span("one")]},
        {"type": "bulletListItem", "props": {}, "content": [span("two")]},
    ]


@pytest.mark.parametrize("body", [(None, None), ("", ""), (None, "<p> </p>"), ("  \n ", None)])
def test_an_empty_body_is_one_empty_paragraph(body: tuple[str | None, str | None]) -> None:
    assert render_comment_blocks(*body) == [paragraph()]


def test_an_unsafe_link_becomes_its_text() -> None:
    assert render_comment_blocks(None, "<a href='data:x'>t</a>") == [paragraph(span("t"))]


def test_markup_beyond_the_bound_is_dropped_and_its_text_kept() -> None:
    html = "<div>" * 5000 + "deep" + "</div>" * 5000
    assert clean_html(html) == "<div>" * MAX_OPEN_ELEMENTS + "deep" + "</div>" * MAX_OPEN_ELEMENTS
    blocks = render_comment_blocks(None, "<b>" * 5000 + "deep" + "</i>" * 5000)
    assert blocks == [paragraph(span("deep", bold=True))]


def test_a_body_that_is_no_text_fails_the_step() -> None:
    step = {"id": "p", "type": "email.parseBody", "config": {"html": expr("payload")}}
    wrong = DryRun(define(step), payload={"a": 1}).run()
    assert isinstance(wrong, Failed)
    assert wrong.failure.code == "NOT_TEXT"
