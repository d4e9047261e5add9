"""A guard against lock-outs: servers lock an account after a few failed logins.

So a command does not send a credential again that a server has refused.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeAlias, TypeVar

from backtrace_jira.errors import CredentialRefused

C = TypeVar("C")
A = TypeVar("A")

Refusals: TypeAlias = dict[Hashable, CredentialRefused]
"""The refusals of this run, by site, account and secret."""


class LockoutGuard(Generic[C]):
    """A client that sends nothing more once its credential was refused."""

    def __init__(self, client: C, credential: Hashable, refusals: Refusals) -> None:
        self._client = client
        self._credential = credential
        self._refusals = refusals

    def ask(self, question: Callable[[C], A]) -> A:
        """Ask the server through the client, unless the server refused the credential before.

        Raises:
            BacktraceJiraError: the client's error, or the refusal of the earlier question.
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
        """Record an error that means a refused credential although the client did not recognise it."""
        self._refusals[self._credential] = error
