"""The part of Jira's wiki markup that ticket descriptions use, as safe HTML.

Everything is escaped; links are made for http and https only. Notation:
https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

_INLINE = re.compile(
    r"""(?P<newline>\\\\)
    | \\(?P<escaped>[-#*_+?^~|%{}\[\]()!@])
    | \{\{(?P<mono>(?:\\.|[^\n])+?)\}\}
    | \[(?:(?P<label>(?:\\.|[^|\]\n\\])*)\|)?(?P<url>https?://[^\]\s|]+)(?:\|[^\]\n]*)?\]
    | (?P<bare>https?://[^\s|\]}<>"]+[^\s|\]}<>".,;:!?)'])
    | (?<![\w*\\])\*(?P<bold>(?!\s)(?:\\.|[^*\n\\])+(?<!\s))\*(?![\w*])
    | (?<![\w\\])_(?P<emphasis>(?!\s)(?:\\.|[^_\n\\])+(?<!\s))_(?!\w)""",
    re.VERBOSE,
)
# What a backslash takes the power from, in both products' renderers.
_ESCAPED = re.compile(r"\\([-#*_+?^~|%{}\[\]()!@])")
_BLOCK = re.compile(r"\{(noformat|code)(?::[^}\n]*)?\}(.*?)(?:\{\1\}|\Z)", re.DOTALL)
_CELL = re.compile(r"\\.|\[[^\]\n]*\]|\{\{.*?\}\}|(\|\|?)")
_ITEM = re.compile(r"([*#-]+)\s+(.*)")


def render(text: str) -> str:
    """Return HTML for a wiki text."""
    html, position = [], 0
    for match in _blocks(text):
        html.append(_render_lines(text[position : match.start()]))
        html.append(f"<pre>{escape(match[2].strip(chr(10)))}</pre>")
        position = match.end()
    html.append(_render_lines(text[position:]))
    return "\n".join(part for part in html if part)


def _blocks(text: str) -> list[re.Match[str]]:
    """Find the preformatted blocks; an escaped brace opens none."""
    found, position = [], 0
    while match := _BLOCK.search(text, position):
        escaped = match.start() > 0 and text[match.start() - 1] == "\\"
        position = match.start() + 1 if escaped else match.end()
        if not escaped:
            found.append(match)
    return found


def _render_lines(text: str) -> str:
    html: list[str] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines:
        kind = _kind(lines[0])
        run = [lines.pop(0)]
        while lines and _kind(lines[0]) == kind and kind not in ("heading", "rule"):
            run.append(lines.pop(0))
        html.append(_RENDERERS[kind](run))
    return "\n".join(part for part in html if part)


def _kind(line: str) -> str:
    stripped = line.strip()
    if not stripped:
        return "blank"
    if re.match(r"h[1-6]\.\s", stripped):
        return "heading"
    if re.fullmatch(r"-{4,}", stripped):
        return "rule"
    if stripped.startswith("|"):
        return "table"
    return "list" if _ITEM.match(stripped) else "text"


def _heading(lines: list[str]) -> str:
    stripped = lines[0].strip()
    level = int(stripped[1])
    return f"<h{level}>{inline(stripped[3:].strip())}</h{level}>"


def _table(lines: list[str]) -> str:
    return "<table>" + "".join(f"<tr>{_row(line.strip())}</tr>" for line in lines) + "</table>"


def _row(line: str) -> str:
    cells: list[tuple[str, str]] = []
    opening, start = "", 0
    for match in _CELL.finditer(line):
        if match[1] is None:
            continue
        if opening:
            cells.append((opening, line[start : match.start()]))
        opening, start = match[1], match.end()
    if line[start:].strip():
        cells.append((opening, line[start:]))
    tags = {"||": "th", "|": "td"}
    return "".join(f"<{tags[kind]}>{inline(cell.strip())}</{tags[kind]}>" for kind, cell in cells)


def _list(lines: list[str]) -> str:
    items = [match for line in lines if (match := _ITEM.match(line.strip()))]
    tag = "ol" if items[0][1].startswith("#") else "ul"
    shown = "".join(f'<li class="level{min(len(item[1]), 4)}">{inline(item[2])}</li>' for item in items)
    return f"<{tag}>{shown}</{tag}>"


def _paragraph(lines: list[str]) -> str:
    return "<p>" + "<br>".join(inline(line) for line in lines) + "</p>"


_RENDERERS: dict[str, Callable[[list[str]], str]] = {
    "blank": lambda _: "",
    "heading": _heading,
    "rule": lambda _: "<hr>",
    "table": _table,
    "list": _list,
    "text": _paragraph,
}


def inline(text: str) -> str:
    """Return HTML for the markup within one line."""
    html, position = [], 0
    for match in _INLINE.finditer(text):
        html.append(escape(text[position : match.start()]))
        html.append(_piece(match))
        position = match.end()
    return "".join(html) + escape(text[position:])


def _piece(match: re.Match[str]) -> str:
    kind = match.lastgroup or ""
    if kind == "newline":
        return "<br>"
    if kind == "escaped":
        return escape(match["escaped"])
    if kind == "mono":
        return f"<code>{inline_escapes(match['mono'])}</code>"
    if kind in ("bold", "emphasis"):
        tag = "b" if kind == "bold" else "i"
        return f"<{tag}>{inline(match[kind])}</{tag}>"
    url = match["url"] or match["bare"]
    label = inline_escapes(match["label"]) if match["label"] else escape(url)
    return link(url, label)


def inline_escapes(text: str) -> str:
    """Return escaped HTML with the backslash escapes taken off."""
    return escape(_ESCAPED.sub(r"\1", text))


def link(url: str, label_html: str) -> str:
    """Return a link, or only its label when the address is not http or https."""
    if not re.match(r"https?://", url):
        return label_html
    return f'<a href="{escape(url)}" rel="noopener noreferrer">{label_html}</a>'
