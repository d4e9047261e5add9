"""The guard of a server: a client whose every call is watched, because its answer tells when the next may be sent.

The guard watches calls to one server, and not the work as a whole: a refusal by DynamoDB or Parameter Store says
nothing about Jira.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import isgeneratorfunction
from typing import Any, TypeVar, cast

from backtrace_jira.errors import (
    BacktraceJiraError,
    Busy,
    CredentialRefused,
    OutcomeUnknown,
    Throttled,
    Unreachable,
)
from backtrace_jira.links.servers import Servers

C = TypeVar("C")


def guard(client: C, server: str, servers: Servers, *, locks_accounts: bool = False) -> C:
    """Return the same client; `servers` learns how each of its calls ended, and stops those that must wait.

    Args:
        client: any object.
        server: the name of its server.
        servers: what this process knows of servers.
        locks_accounts: whether the server may lock an account after some refusals of its credential, as Jira does.
    """

    @contextmanager
    def watched(*, counts: bool) -> Iterator[None]:
        servers.ensure_open(server)
        try:
            yield
        except Throttled as error:
            servers.learn_refusal(server, error)
            raise
        except (Unreachable, OutcomeUnknown):
            servers.learn_silence(server)
            raise
        except Busy:
            raise  # no time was left for the request, so the server said nothing
        except CredentialRefused as error:
            if locks_accounts:
                servers.park_connection(server, error)
            raise
        except BacktraceJiraError:
            servers.learn_answer(server)  # a refusal is an answer, too
            raise
        if counts:
            servers.learn_answer(server, getattr(client, "limit", None))

    return cast(C, _Guarded(client, watched))


class _Guarded:
    """Any object whose attributes and methods are used within a context manager."""

    def __init__(self, guarded: object, watched: Callable[..., Any]) -> None:
        self._guarded = guarded
        self._watched = watched

    def __getattr__(self, name: str) -> Any:
        # A property may send a request, or know its answer already: only its failure tells anything.
        with self._watched(counts=False):
            value = getattr(self._guarded, name)
        return self._guard_calls(value) if callable(value) else value

    def _guard_calls(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            with self._watched(counts=not isgeneratorfunction(method)):
                value = method(*args, **named)
            return self._guard_items(value) if isinstance(value, Iterator) else value

        return call

    def _guard_items(self, items: Iterator[Any]) -> Iterator[Any]:
        # A generator sends its requests only when it is iterated, long after the call.
        with self._watched(counts=True):
            yield from items
