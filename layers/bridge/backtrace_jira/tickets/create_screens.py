"""Jira's create screens: fetched once, stored for all processes, and fetched again when they may be outdated."""

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
"""Seconds for which a screen is used. A change in Jira before that shows when Jira refuses a ticket or a value
does not fit; then the screen is fetched again."""
DOUBT = 300.0
"""Seconds. After these, a field or value missing from the screen may have been added in Jira: fetch it again."""
MOST_PEOPLE = 200


class CreateScreen:
    """A create screen as Jira gave it, and the users that were looked up for its fields."""

    def __init__(
        self, schema: FieldSchema | None, read_at: float, people: dict[str, str | None] | None = None
    ) -> None:
        self.schema = schema
        """None if the server has no create metadata."""
        self.read_at = read_at
        self.people = people or {}

    def to_json(self) -> str:
        """Return the JSON text that the store keeps."""
        schema = json.loads(self.schema.to_json()) if self.schema else None
        raw = {"read_at": self.read_at, "schema": schema, "people": self.people}
        return json.dumps(raw, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> CreateScreen | None:
        """Read the JSON that `to_json` wrote; None if another version of this program wrote it."""
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
        """Return the screen that this process remembers, unless it has expired."""
        screen = self._known.get((connection, target))
        return screen if screen and screen.read_at + LIFETIME > self._clock() else None

    def load(self, connection: str, target: TicketTarget) -> CreateScreen | None:
        """Return the screen that this process remembers or the store holds, unless it has expired.

        Raises:
            Busy: the store could not be asked.
        """
        known = self.recall(connection, target)
        if known:
            return known
        try:
            text = self._links.load_screen(connection, str(target))
        except TryAgain as error:  # DynamoDB's pause must not hold Jira back
            raise Busy(str(error)) from None
        screen = CreateScreen.from_json(text) if text else None
        if screen:
            self._known[connection, target] = screen
        return self.recall(connection, target)

    def fetch(self, tickets: JiraTickets, connection: str, target: TicketTarget) -> CreateScreen:
        """Ask Jira for the screen, and store it.

        Raises:
            Refused: Jira shows this account no such project or issue type.
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
        """Return whether the screen was fetched so long ago that fetching it again may help."""
        return screen.read_at + DOUBT < self._clock()

    def find_user(
        self, tickets: JiraTickets, connection: str, target: TicketTarget, screen: CreateScreen, who: str
    ) -> str | None:
        """Return a user's id in Jira. It is kept with the screen, so that not every ticket costs a request."""
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
