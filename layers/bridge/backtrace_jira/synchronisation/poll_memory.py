"""What the polls remember between two runs, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from backtrace_jira.links.link import Link

JiraProject: TypeAlias = tuple[str, str]
"""Connection and key of a Jira project."""


@dataclass(frozen=True, slots=True)
class TicketVersion:
    """A Fix Version of a ticket; `facts` are those of the version when the ticket was last looked at."""

    version_id: str
    issue_id: str
    facts: str


@dataclass(frozen=True, slots=True)
class ProjectVersions:
    """The last list of a project's versions: their facts by id, and when Jira gave it (unix seconds).

    `recent` are those that changed a short time ago, with the moment at which this was seen.
    """

    listed_at: float
    facts: Mapping[str, str]
    recent: Mapping[str, float]
    project_id: str = ""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One look at everything of a project that changed since a watermark. It may take several runs."""

    since: float
    """From which moment on changes are looked at (unix seconds): the watermark."""
    started: float = 0.0
    """When the first run began (unix seconds): to there the watermark moves at the end. 0 before that run."""
    after: str = ""
    """Place after which the next page begins, such as the key of the last ticket; empty for the first page."""


@dataclass(frozen=True, slots=True)
class PollNotes:
    """How far the round through all links has got, where tickets of ours are, and which project is looked at first."""

    after: str = ""
    """Place in the round after which the next run goes on; empty at its beginning."""
    began: float = 0.0
    """When this round began (unix seconds); 0 at its beginning."""
    took: float = 0.0
    """Seconds that the last whole round took; 0 if there was none."""
    seen: frozenset[JiraProject] = frozenset()
    """The projects of tickets that were met since this round began."""
    seen_before: frozenset[JiraProject] = frozenset()
    """Those of the round before."""
    first: Mapping[str, str] = field(default_factory=dict)
    """By schedule, what its last run had no time for; the next one begins there."""

    @property
    def projects(self) -> frozenset[JiraProject]:
        """Return the Jira projects in which linked tickets are, however they got there."""
        return self.seen | self.seen_before


@dataclass(frozen=True, slots=True)
class LinkPage:
    """Some links that hold a ticket, as they are now; those of one ticket follow each other."""

    links: Sequence[Link]
    next_after: str = ""
    """Place after which the next page begins; empty if this is the last page."""
