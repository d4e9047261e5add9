"""The page of an error group in Backtrace, as its event names it."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from backtrace_jira.jira import wiki

LINK_TEXT = "View in Backtrace"
"""The documented anchor text, which other teams' rules look for."""

_PORTS = {"https": 443, "http": 80}


def link_to_page(page: str, address: str) -> str:
    """Return the markup of a group's page: a link, if it is one of the server at this address, and else a text.

    An event says what it wants to, and a page elsewhere must not hide behind words of ours.
    """
    if _is_at(page, address):
        return wiki.link(LINK_TEXT, page)
    return wiki.escape(wiki.one_line(f"{LINK_TEXT} ({page})"))


def _is_at(page: str, address: str) -> bool:
    try:
        return bool(address) and _origin(urlsplit(page.strip())) == _origin(urlsplit(address))
    except ValueError:
        return False


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None, bool]:
    """Return scheme, host and port; and whether there is a user part, which no address of the settings has."""
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), "@" in parts.netloc
