"""Wiki markup of Jira's REST API v2. No other module knows it.

Each function takes text that may be hostile and returns markup that shows the text and does nothing else.
Two renderers must agree. Jira Data Center works with regular expressions over the whole text. Jira Cloud converts
the markup to its document format with ``@atlaskit/editor-wikimarkup-transformer``, whose sources quote Data
Center's rules. Both take a backslash before one of ``- # * _ + ? ^ ~ | % { } [ ] ( ) ! @`` for an escape, unless
another backslash stands before it; two backslashes break the line. If a backslash does not help, a character is
changed, as little as possible:

- U+2060 WORD JOINER, invisible, splits text that would act as markup: a literal backslash before one of the
  characters above or at the end, ``h1.``, ``:D``, ``http://``, ``{noformat}``, ``&lt;``.
- ``¦`` U+00A6 stands for ``|`` in table cells and link labels: Cloud's table parser knows no escaped ``|``.
- ``［`` ``］`` ``！`` (full width) stand for ``[`` ``]`` ``!`` in link labels, ``［`` for a ``[`` that its table
  cell does not close: the link pattern ignores backslashes and reads on into the next cell.

Inline results (`escape`, `link`) may stand next to each other with a space between. Block results
(`heading`, `table`, `noformat`) need lines of their own, which `document` gives them.
"""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

ELLIPSIS = "…"
WORD_JOINER = "\u2060"
BROKEN_BAR = "¦"

_LINE_BREAKS = dict.fromkeys(map(ord, "\v\f\r\x85\u2028\u2029"), "\n")
_CONTROLS = dict.fromkeys([*range(9), *range(0x0E, 0x20), *range(0x7F, 0x85), *range(0x86, 0xA0)])
# These characters turn the reading direction, so that a text can look like another one.
_DIRECTIONS = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x2070)])
_NOT_TEXT = {0xFEFF: None, 0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}
_CLEAN = {**_CONTROLS, **_DIRECTIONS, **_LINE_BREAKS, **_NOT_TEXT}
_SURROGATE = re.compile("[\ud800-\udfff]")

_EMOTICON = r"(?:y|n|i|/|x|!|\+|-|\?|on|off|\*[yrgb]?|flag|flagoff)"
_MACRO = r"(?:adf|anchor|code|quote|noformat|panel|color|loremipsum)"
# Applied to one line without its indent. The name of the group tells `_disarm` what to do with the match.
_ACTIVE = re.compile(
    rf"""
      (?P<split>
          \\ (?= [-#*_+?^~|%{{}}\[\]()!@\\] | \Z )      # a literal backslash that would act
        | : (?= // ) | m (?= ailto: )                   # an address becomes a link
        | : (?= (?-i: [PpDd] (?! [A-Za-z0-9] ) ) )      # emoticons without a bracket
        | & (?= \#? [A-Z0-9]+ ; )                       # Data Center lets entities through
      )
    | (?P<both>
          \{{ (?= {_MACRO} )    # looked for behind the backslash too, in lists, panels and table cells
        | \[ (?= \s* ~ )        # the same: a mention, and an empty one makes Cloud give up on a whole table
      )
    | (?P<escape>
          [{{\[]
        | \A \|
        | \A [*\#-] (?= [*\#-]* (?: \s | \Z ) )         # list item
        | \? (?= \? ) | (?<= \? ) \?                    # citation
        | \( (?= {_EMOTICON} \) ) | (?<= [:;] ) [()]
      )
    | (?P<phrase> [*_+^~!-] (?! [ ] ) )                 # *strong*, !image! and their like
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BLOCK_WORD = re.compile(r"(?:h[1-6]|bq)\.", re.IGNORECASE)
_UNESCAPED_BANG = re.compile(r"(?<!\\)!")

_NOFORMAT = "{noformat}"
_NOFORMAT_TAG = re.compile(r"\{(?=\s*noformat)", re.IGNORECASE)

_LABEL_LOOK_ALIKES = str.maketrans({"|": BROKEN_BAR, "[": "［", "]": "］", "!": "！"})
# No user part, which can make a host look like another one, and no brackets, which end a wiki link.
_WEB_ADDRESS = re.compile(r"https?://[A-Z0-9._-]+(?::[0-9]{1,5})?(?:[/?#].*)?", re.IGNORECASE | re.ASCII)
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def clean(text: str) -> str:
    """Return the text with newlines as line breaks, without characters that Jira refuses or that disguise text."""
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\r\n", "\n").translate(_CLEAN)


def one_line(text: str) -> str:
    """Return the cleaned text on one line, with one blank for each run of white space."""
    return " ".join(clean(text).split())


def utf16_length(text: str) -> int:
    """Return the length that Jira counts for its limits: in UTF-16 units, two for each character beyond U+FFFF."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def truncate(text: str, limit: int) -> str:
    """Cut the text to `limit` UTF-16 units, the ellipsis that marks the cut included."""
    if utf16_length(text) <= limit:
        return text
    if limit < 1:
        return ""
    units = text.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 1)]
    return units.decode("utf-16-le", "ignore").rstrip() + ELLIPSIS


def escape(text: str) -> str:
    """Return inline markup that shows the cleaned text, line by line, and does nothing else.

    It is safe at the start of a line and behind other markup, but not between a caller's own ``*`` or ``_``.
    """
    return "\n".join(map(_escape_line, clean(text).split("\n")))


def heading(level: int, text: str) -> str:
    """Return a heading of level 1 to 6 on one line; empty for a blank text."""
    shown = escape(one_line(text))
    return f"h{level}. {shown}" if shown else ""


def link(label: str, url: str) -> str:
    """Return a link to an http or https address; for any other address, label and address as plain text."""
    shown, target = one_line(label) or one_line(url), _link_target(url)
    if target is None:
        return escape(f"{shown} ({one_line(url)})" if label else shown)
    return f"[{escape(shown.translate(_LABEL_LOOK_ALIKES))}|{target}]"


def table(rows: Iterable[Sequence[str]], header: Sequence[str] = (), limit: int | None = None) -> str:
    """Return a table of cleaned texts; lines inside a cell stay lines.

    Short rows are filled up with empty cells. If the table is longer than `limit` UTF-16 units, rows are dropped from
    the end and a last row says how many. If not even that fits, the result is empty.
    """
    body = list(rows)
    width = max(map(len, [header, *body]))
    if not width or not (body or header):
        return ""
    head = [_row(header, width, "||")] if header else []
    lines = [_row(row, width, "|") for row in body]
    whole = "\n".join(head + lines)
    if limit is None or utf16_length(whole) <= limit:
        return whole
    return _first_rows(head, lines, width, limit)


def noformat(text: str, limit: int | None = None) -> str:
    """Return a preformatted block that its text cannot close; empty for a blank text.

    A `limit` in UTF-16 units for the whole block cuts the text, never the closing tag.
    """
    body = _NOFORMAT_TAG.sub("{" + WORD_JOINER, clean(text).rstrip().lstrip("\n"))
    frame = utf16_length(f"{_NOFORMAT}\n\n{_NOFORMAT}")
    if limit is not None:
        body = truncate(body, limit - frame)
    # The newline before the closing tag keeps a final backslash of the text away from it.
    return f"{_NOFORMAT}\n{body}\n{_NOFORMAT}" if body else ""


def document(*blocks: str) -> str:
    """Join blocks by blank lines, which end tables, lists and paragraphs; empty blocks are left out."""
    return "\n\n".join(block for block in blocks if block)


def _escape_line(line: str) -> str:
    body = line.lstrip()
    indent = line[: len(line) - len(body)]
    guard = WORD_JOINER if _BLOCK_WORD.match(body) else ""
    return indent + guard + _ACTIVE.sub(_disarm, body)


def _disarm(match: re.Match[str]) -> str:
    mark = match[0]
    if match["split"]:
        return mark + WORD_JOINER
    if match["both"]:
        return "\\" + mark + WORD_JOINER
    before = match.string[max(match.start() - 1, 0) : match.start()]
    if match["phrase"] and _ends_word(before):
        return mark
    return "\\" + mark


def _ends_word(character: str) -> bool:
    """Return whether a mark behind this character is no markup: in both renderers, behind letters and digits."""
    return character.isalpha() or character.isdecimal()


def _link_target(url: str) -> str | None:
    address = clean(url).strip()
    if not _WEB_ADDRESS.fullmatch(address):
        return None
    return quote(_BARE_PERCENT.sub("%25", address), safe=":/?#&=%+,;$")


def _row(cells: Sequence[str], width: int, bar: str) -> str:
    filled = [*map(_cell, cells), *[" "] * (width - len(cells))]
    return bar + bar.join(filled) + bar


def _cell(text: str) -> str:
    """Escape one cell; Cloud looks for links and images across cells, before it looks for backslashes."""
    lines = (line.strip() for line in clean(text).strip().split("\n"))
    closed, bracket, tail = "\n".join(lines).replace("|", BROKEN_BAR).rpartition("]")
    # An image begins in spite of a backslash but does not end behind one.
    shown = _UNESCAPED_BANG.sub(r"\\!", escape(closed + bracket + tail.replace("[", "［")))
    return shown.replace("\n", r" \\ ") or " "


def _first_rows(head: list[str], lines: list[str], width: int, limit: int) -> str:
    lengths = [utf16_length(line) + 1 for line in head + lines]
    total = sum(lengths)
    for kept in range(len(lines) - 1, -1, -1):
        total -= lengths.pop()
        note = _row([f"{ELLIPSIS} {len(lines) - kept} more"], width, "|")
        if total + utf16_length(note) <= limit:
            return "\n".join([*head, *lines[:kept], note])
    return ""
