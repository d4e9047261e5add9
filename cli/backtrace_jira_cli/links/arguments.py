"""The arguments of the links commands: ticket keys and fingerprints; and the question before a link is removed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backtrace_jira.links.link import Link
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.exits import Stop, wrong_usage

ISSUE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*-[0-9]+")
_FINGERPRINT = re.compile(r"[\x21-\x7e]{1,256}")


def parse_issue_key(text: str) -> str:
    """Return the key of a ticket as Jira writes it."""
    if not ISSUE_KEY.fullmatch(text.strip()):
        raise wrong_usage("The first argument has to be the key of a ticket, like BUG-42.")
    return text.strip().upper()


def parse_fingerprints(texts: Sequence[str]) -> list[str]:
    """Return whole fingerprints, each once."""
    if not all(map(_FINGERPRINT.fullmatch, texts)):
        raise wrong_usage("A fingerprint has 1 to 256 ASCII characters and no blank.")
    return list(dict.fromkeys(texts))


def choose_group(beginning: str, found: Sequence[Link]) -> list[Link]:
    """Return the links of the one group that begins like this: one, or one for each of its errors (`event: trace`).

    Raises:
        Stop: no group with a ticket begins like this, or several do.
    """
    linked = [link for link in found if link.issue]
    exact = [link for link in linked if link.key.fingerprint == beginning] or linked
    if not exact:
        raise Stop(f"No error group that begins with {beginning} is linked to a ticket.")
    groups = sorted({f"{link.key.integration} {link.key.fingerprint}" for link in exact})
    if len(groups) > 1:
        raise wrong_usage(
            f"Several links begin like this. Give the whole fingerprint, and --integration: {'; '.join(groups)}."
        )
    return exact


def ensure_agreed(console: Console, links: Sequence[Link]) -> None:
    """Ask whether to unlink a group.

    Raises:
        Stop: the answer is no, or nobody is there to answer.
    """
    if not console.can_ask:
        raise wrong_usage("Nothing was changed: there is no terminal to ask at. Add --yes.")
    tickets = ", ".join(link.issue.key for link in links if link.issue)
    console.say(
        f"{links[0].key.fingerprint} is linked to {tickets}. Its next error will create a new ticket."
    )
    if not console.confirm("Unlink it?"):
        raise Stop("Nothing was changed.")
