"""Nobody is asked twice with a credential that was refused: the second time may lock the account."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeAlias, TypeVar

from backtrace_jira.errors import CredentialRefused

C = TypeVar("C")
A = TypeVar("A")

Refusals: TypeAlias = dict[Hashable, CredentialRefused]
"""What was refused in this run, by site, account and secret."""


class LockoutGuard(Generic[C]):
    """A client, and the credential it shows."""

    def __init__(self, client: C, credential: Hashable, refusals: Refusals) -> None:
        self._client = client
        self._credential = credential
        self._refusals = refusals

    def ask(self, question: Callable[[C], A]) -> A:
        """Ask, unless the credential was refused before.

        Raises:
            BacktraceJiraError: what the client raised, now or then.
        """
        refused = self._refusals.get(self._credential)
        if refused:
            raise refused
        try:
            return question(self._client)
        except CredentialRefused as error:
            self._refusals[self._credential] = error
            raise

    def give_up(self, error: CredentialRefused) -> None:
        """Record a refusal that came in another form."""
        self._refusals[self._credential] = error
