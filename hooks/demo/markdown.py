"""A card's `detail` as an EHR shows it: GitHub-flavoured Markdown, and no HTML of anyone else's making."""

from __future__ import annotations

from typing import Any

from markdown_it import MarkdownIt

# Images are off as well: a chart must not fetch pictures from other hosts because a card says so.
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"]).disable("image")
)


def _link_open(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("target", "_blank")
    tokens[index].attrSet("rel", "noopener noreferrer")
    return self.renderToken(tokens, index, options, env)


_MARKDOWN.add_render_rule("link_open", _link_open)


def to_html(detail: Any) -> str:
    return _MARKDOWN.render(detail) if isinstance(detail, str) else ""
