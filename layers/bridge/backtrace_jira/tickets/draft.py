"""A draft of a ticket for Jira's create screen. If the remembered screen proves to be outdated, it is fetched again."""

from __future__ import annotations

from dataclasses import replace

from backtrace_jira.errors import Busy, CredentialRefused, InvalidField, NeedsAttention, Refused, TryAgain
from backtrace_jira.jira.issue import TicketDraft
from backtrace_jira.tickets.context import Case
from backtrace_jira.tickets.create_screens import CreateScreen, CreateScreens
from backtrace_jira.tickets.fill_fields import REQUIRED, draft_ticket, needs_schema
from backtrace_jira.tickets.ports import JiraTickets


class Drafter:
    """Makes the drafts of one ticket."""

    def __init__(
        self, case: Case, marker: str, tickets: JiraTickets, screens: CreateScreens, address: str
    ) -> None:
        """Take the universe's own `address`."""
        self._case = case
        self._marker = marker
        self._tickets = tickets
        self._screens = screens
        self._address = address
        self._connection = case.integration.connection
        self._target = case.target
        self._asked = False
        self._has_given_in = False

    def draft(self) -> TicketDraft:
        """Return the first draft.

        Only fields of an unknown type need the create screen. If something does not fit a screen that was read some
        time ago, the screen is fetched again: a version or an option may have been added since.

        Raises:
            InvalidField, Refused: no ticket can be made with these settings.
            TryAgain: the create screen could not be fetched.
        """
        screen = self._screen()
        try:
            draft = self._draft_for(screen)
        except InvalidField:
            if not self._may_be_outdated(screen):
                raise
        else:
            if not draft.left_out or not self._may_be_outdated(screen):
                return draft
        return self._draft_for(self._fetch_screen())

    def redraft(self, draft: TicketDraft, refusal: Refused) -> TicketDraft | None:
        """Return another draft after Jira refused this one; None if a fresh create screen does not help.

        Somebody may have removed a field that we send from the screen, or added one that we left out. Jira says so
        in the language of its site, so only the ids of the fields are read from its answer.
        """
        concerned = refusal.fields and (draft.left_out or refusal.fields.keys() & draft.fields.keys())
        if self._asked or not concerned or isinstance(refusal, CredentialRefused):
            return None
        try:
            again = self._draft_for(self._fetch_screen())
        except CredentialRefused:
            raise
        except TryAgain as error:  # Jira made no ticket, however this request ended
            raise Busy(str(error), after=error.after) from None
        except NeedsAttention:
            return None  # the refusal stands, and says more
        return None if again.fields == draft.fields else again

    def without_refused(self, draft: TicketDraft, refusal: Refused) -> TicketDraft | None:
        """Return the draft without the fields that Jira refused, such as unknown users; None if that is no way out.

        Required fields stay, and so do fields that hold the marker. It is done once for a ticket.
        """
        refused = refusal.fields.keys()
        kept = {name for name, value in draft.fields.items() if draft.marker in str(value)} | {*REQUIRED}
        if self._has_given_in or not refused or refused & kept or not refused <= draft.fields.keys():
            return None
        self._has_given_in = True
        told = tuple(f"{name}: Jira refused it: {refusal.fields[name]}" for name in sorted(refused))
        fields = {name: value for name, value in draft.fields.items() if name not in refused}
        return replace(draft, fields=fields, left_out=draft.left_out + told)

    def _screen(self) -> CreateScreen | None:
        if not needs_schema(self._case.integration):
            return self._screens.recall(self._connection, self._target)
        return self._screens.load(self._connection, self._target) or self._fetch_screen()

    def _may_be_outdated(self, screen: CreateScreen | None) -> bool:
        return screen is not None and self._screens.may_be_outdated(screen)

    def _fetch_screen(self) -> CreateScreen:
        self._asked = True
        return self._screens.fetch(self._tickets, self._connection, self._target)

    def _draft_for(self, screen: CreateScreen | None) -> TicketDraft:
        def people(who: str) -> str | None:
            if screen is None:
                return None
            return self._screens.find_user(self._tickets, self._connection, self._target, screen, who)

        return draft_ticket(
            self._case.group,
            self._case.integration,
            self._marker,
            self._case.verdict.mentions,
            trace=self._case.key.trace,
            schema=screen.schema if screen else None,
            people=people,
            address=self._address,
        )
