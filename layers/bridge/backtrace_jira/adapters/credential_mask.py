"""Hide our credential in what a server says: a server or proxy may repeat the headers that it was sent.

Error texts go into logs, link rows, dead letters and terminals. A repeated header may be spelled as JSON, as part of a
URL or as HTML, and be cut off.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator, Mapping

CREDENTIAL_HEADERS = ("Authorization", "X-Coroner-Token")
MASK = "***"
SHORTEST = 5
"""Characters. A shorter password would be found in ordinary words; its header is hidden all the same."""
TELLING = 12
"""Characters by which a credential is known again that the server has cut off."""

_TOKEN = re.compile(r"[\w+/=.~-]*", re.ASCII)
_CONTINUATION = r"(?:[\w+/=%.~-]|\\{1,8}(?:/|u[0-9a-fA-F]{4})|&#\w+;)*"
"""What follows the beginning of a token, however it is spelled and wherever it ends. JSON's quote is not part of it."""


def mask_credential(text: str, headers: Mapping[str, str]) -> str:
    """Return the text without the credential that these headers carry, however it is spelled."""
    known = [each for each in _credentials(headers) if len(each) >= SHORTEST]
    return re.sub("|".join(map(_spellings, known)), MASK, text) if known else text


def _credentials(headers: Mapping[str, str]) -> Iterator[str]:
    """Give what of the headers is secret: the token; of a user with a password, the header's text and the password."""
    for name in CREDENTIAL_HEADERS:
        scheme, _, rest = headers.get(name, "").partition(" ")
        yield rest or scheme
        if scheme == "Basic":
            try:
                yield base64.b64decode(rest).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                continue


def _spellings(credential: str) -> str:
    """Return an expression for a credential of which every character may be spelled as JSON, in a URL or as HTML.

    A long one of many characters would cost 100 ms, so a token is known by its beginning.
    """
    spelled = [f"(?:{'|'.join(_spellings_of_one(each))})" for each in credential]
    if len(credential) <= TELLING:
        return "".join(spelled)
    beginning = "".join(spelled[:TELLING]) + _CONTINUATION
    return beginning if _TOKEN.fullmatch(credential) else f"{''.join(spelled)}|{beginning}"


def _spellings_of_one(character: str) -> Iterator[str]:
    """Give the spellings of a character. Repetitions are bounded: a hostile text must not cost seconds."""
    code, units = ord(character), character.encode("utf-16-be")
    yield rf"\\{{0,8}}{re.escape(character)}"
    yield "".join(rf"%(?:25){{0,3}}(?i:{byte:02x})" for byte in character.encode())
    yield "".join(rf"\\{{1,8}}u(?i:{units[at : at + 2].hex()})" for at in range(0, len(units), 2))
    yield rf"&#0{{0,4}}{code};"
    yield rf"&#x0{{0,4}}(?i:{code:x});"
    if html.escape(character) != character:
        yield html.escape(character)
    if character == " ":
        yield r"\+"
