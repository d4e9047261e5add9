"""How an operator names tickets and error groups."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backtrace_jira.links.link import Link
from backtrace_jira_cli.exits import Stop, wrong_usage
from backtrace_jira_cli.links.overview import ISSUE_KEY

_FINGERPRINT = re.compile(r"[\x21-\x7e]{1,256}")


def issue_key_of(text: str) -> str:
    """Return the key of a ticket as Jira writes it."""
    if not ISSUE_KEY.fullmatch(text.strip()):
        raise wrong_usage("The first argument has to be the key of a ticket, like BUG-42.")
    return text.strip().upper()


def full_fingerprints(texts: Sequence[str]) -> list[str]:
    """Return fingerprints, each once."""
    if not all(map(_FINGERPRINT.fullmatch, texts)):
        raise wrong_usage("A fingerprint has 1 to 256 characters of ASCII, and no blank.")
    return list(dict.fromkeys(texts))


def one_group(given: str, found: Sequence[Link]) -> list[Link]:
    """Return the links of the one group that is meant: one, or one for each of its errors."""
    linked = [link for link in found if link.issue]
    exact = [link for link in linked if link.key.fingerprint == given] or linked
    if not exact:
        raise Stop(f"There is no link of {given}.")
    groups = sorted({f"{link.key.integration} {link.key.fingerprint}" for link in exact})
    if len(groups) > 1:
        raise wrong_usage(f"Several are meant; write one in full, with --integration: {'; '.join(groups)}.")
    return exact
