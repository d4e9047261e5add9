"""Register one connection's webhook in Jira, or correct the one that is there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from backtrace_jira.adapters.aws.webhook_secrets import SHORTEST_AGE
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.deployment.lockout_guard import LockoutGuard
from backtrace_jira_cli.webhook.registration import (
    DesiredRegistration,
    JiraWebhooks,
    Registration,
    differences,
    host_of,
)
from backtrace_jira_cli.webhook.registration_target import RegistrationTarget
from backtrace_jira_cli.webhook.result import ConnectionResult, Result

IN_THE_ADDRESS = (
    "This server cannot sign its webhooks (Data Center 9 and older): the secret is the last part of the address. "
    "Whoever sees that address in Jira can send webhooks."
)


class Installation:
    """The installation of one connection's webhook."""

    def __init__(self, target: RegistrationTarget, console: Console) -> None:
        self._target = target
        self._secret = target.secret
        self._console = console
        self._notes: list[str] = []

    def install(self, *, rotate: bool) -> ConnectionResult:
        """Register the webhook, or correct it, and read back what Jira stored."""
        target = self._target
        registrations = target.find_registrations()
        if rotate and self._secret.exists:
            self._rotate()
        if registrations is None or target.jira is None:
            return self._leave_to_operator()
        if not target.signs:
            self._notes.append(IN_THE_ADDRESS)
        here = [each for each in registrations if target.leads_here(each)]
        named = [each for each in registrations if each.name == target.name and each not in here]
        desired = target.desired
        result = self._write(target.jira, desired, [*here, *named])
        for each in here[1:]:
            target.jira.ask(partial(JiraWebhooks.remove, registration=each))
            self._notes.append("a second registration at the same address was removed")
            result = Result.UPDATED
        wrong = self._read_back(desired) if result is not Result.UNCHANGED else {}
        # Only now is the secret stored: a run that is cut off before leaves none, and the next run makes another.
        self._settle_secret(keep_former=rotate or bool(wrong))
        self._notes += [f"Jira accepted the registration, and yet: {text}" for text in wrong.values()]
        return ConnectionResult(target.connection.name, Result.FAILED if wrong else result, self._notes)

    def _write(
        self, jira: LockoutGuard[JiraWebhooks], desired: DesiredRegistration, ours: Sequence[Registration]
    ) -> Result:
        if not ours:
            jira.ask(lambda webhooks: webhooks.add(desired))
            return Result.REGISTERED
        differs = differences(ours[0], desired, signs=self._target.signs)
        if not differs and self._secret.exists and not self._secret.replaces_another:
            return Result.UNCHANGED
        jira.ask(lambda webhooks: webhooks.change(ours[0], desired))
        if not self._target.leads_here(ours[0]):
            self._notes.append(f"it led to {host_of(ours[0].url)} before")
        differs.pop("url", None)
        self._notes += [f"corrected: {text}" for text in differs.values()]
        return Result.UPDATED

    def _read_back(self, desired: DesiredRegistration) -> dict[str, str]:
        """Return what differs from what was written: Data Center 10 silently ignores what it does not know."""
        registrations = self._target.find_registrations() or ()
        found = next((each for each in registrations if each.url == desired.url), None)
        if found is None:
            return {"registered": "it is not among the registered webhooks"}
        return differences(found, desired, signs=self._target.signs)

    def _settle_secret(self, *, keep_former: bool) -> None:
        """Store the secret that Jira has. A former one is dropped, unless webhooks on their way may still need it."""
        if not self._secret.exists:
            self._secret.settle()
        elif self._secret.replaces_another and keep_former:
            self._notes.append(
                "the secret was replaced. Webhooks on their way may be signed with the former one: it is accepted "
                "until you run `backtrace-jira webhook install` again"
            )
        elif self._secret.replaces_another:
            self._secret.settle()
            self._notes.append("the former secret is not accepted any more")

    def _rotate(self) -> None:
        """Store both secrets, and wait: a function that has just read the former one alone keeps it for a while."""
        self._secret.rotate()
        with self._console.show_progress("waiting until every function knows the new secret"):
            time.sleep(SHORTEST_AGE + 1)

    def _leave_to_operator(self) -> ConnectionResult:
        target = self._target
        if not self._secret.exists:
            self._secret.settle()
        notes = [target.why_by_hand]
        if self._secret.replaces_another:
            notes.append(
                f"{self._secret.parameter} holds two secrets, one a line, and both are accepted. Once Jira has the "
                "first, delete the other line."
            )
        return ConnectionResult(target.connection.name, Result.BY_HAND, notes, target.manual_steps.steps())
