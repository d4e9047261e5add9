"""What is known of Jira's create screens: asked once, kept in the store for all processes, asked anew when in doubt."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from backtrace_jira.errors import Busy, InvalidField, Refused, TryAgain
from backtrace_jira.jira.fields import FieldSchema, fold
from backtrace_jira.tickets.fill_fields import TicketTarget
from backtrace_jira.tickets.ports import JiraTickets, TicketLinks

LIFETIME = 6 * 3600.0
"""Seconds. What a screen lost or gained until then is found out by what Jira refuses, or by what does not fit."""
DOUBT = 300.0
"""Seconds. A screen read longer ago may have got what the settings name and it does not show."""
MOST_PEOPLE = 200


class CreateScreen:
    """A create screen as it was read, and the users who were looked up for its fields."""

    def __init__(
        self, schema: FieldSchema | None, read_at: float, people: dict[str, str | None] | None = None
    ) -> None:
        self.schema = schema
        """None: the server has no create metadata."""
        self.read_at = read_at
        self.people = people or {}

    def to_json(self) -> str:
        """Return the form in which it is kept."""
        schema = json.loads(self.schema.to_json()) if self.schema else None
        raw = {"read_at": self.read_at, "schema": schema, "people": self.people}
        return json.dumps(raw, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> CreateScreen | None:
        """Read what `to_json` wrote; None where another version of this program wrote it."""
        try:
            raw: dict[str, Any] = json.loads(text)
            schema = FieldSchema.from_json(json.dumps(raw["schema"])) if raw["schema"] else None
            if raw["schema"] and schema is None:
                return None
            return cls(schema, float(raw["read_at"]), dict(raw["people"]))
        except (ValueError, TypeError, KeyError):
            return None


class CreateScreens:
    """Create screens by connection, project and issue type."""

    def __init__(self, links: TicketLinks, clock: Callable[[], float]) -> None:
        self._links = links
        self._clock = clock
        self._known: dict[tuple[str, TicketTarget], CreateScreen] = {}

    def recall(self, connection: str, target: TicketTarget) -> CreateScreen | None:
        """Return a screen that this process has seen, if it has not expired."""
        screen = self._known.get((connection, target))
        return screen if screen and screen.read_at + LIFETIME > self._clock() else None

    def load(self, connection: str, target: TicketTarget) -> CreateScreen | None:
        """Return a screen that this or another process has seen, if it has not expired.

        Raises:
            Busy: the store could not be asked.
        """
        known = self.recall(connection, target)
        if known:
            return known
        try:
            text = self._links.load_screen(connection, str(target))
        except TryAgain as error:  # the store's pause is not Jira's
            raise Busy(str(error)) from None
        screen = CreateScreen.from_json(text) if text else None
        if screen:
            self._known[connection, target] = screen
        return self.recall(connection, target)

    def fetch(self, tickets: JiraTickets, connection: str, target: TicketTarget) -> CreateScreen:
        """Ask Jira, whatever is known, and keep the answer.

        Raises:
            Refused: Jira shows this account no such screen.
            TryAgain: as for every request.
        """
        try:
            schema = tickets.field_schema(target.project, target.issue_type)
        except InvalidField as error:
            raise Refused(str(error), fields={error.field: str(error)}) from None
        screen = CreateScreen(schema, self._clock())
        self._known[connection, target] = screen
        self._store(connection, target, screen)
        return screen

    def may_be_outdated(self, screen: CreateScreen) -> bool:
        """Return whether it was read so long ago that asking anew may help."""
        return screen.read_at + DOUBT < self._clock()

    def find_user(
        self, tickets: JiraTickets, connection: str, target: TicketTarget, screen: CreateScreen, who: str
    ) -> str | None:
        """Return who somebody is in Jira, asked once for each screen: a ticket must not cost a call for it."""
        name = fold(who)
        if name not in screen.people:
            found = tickets.find_user(who, target.project)
            while len(screen.people) >= MOST_PEOPLE:
                screen.people.pop(next(iter(screen.people)))
            screen.people[name] = found
            self._store(connection, target, screen)
        return screen.people[name]

    def _store(self, connection: str, target: TicketTarget, screen: CreateScreen) -> None:
        with suppress(TryAgain):  # the next process asks Jira once more
            self._links.store_screen(connection, str(target), screen.to_json(), screen.read_at + LIFETIME)
