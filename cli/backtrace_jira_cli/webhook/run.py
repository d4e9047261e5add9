"""`backtrace-jira webhook`: Jira tells of its changes at our address, for each connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from backtrace_jira.adapters.aws.webhook_secrets import SHORTEST_AGE
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.errors import BacktraceJiraError, NeedsAttention
from backtrace_jira.settings.connection import Connection
from backtrace_jira.settings.integration import Integration
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.deployment.deployment import ROOT, Deployment
from backtrace_jira_cli.deployment.jira_server import TIMEOUTS, Server
from backtrace_jira_cli.deployment.lockout_guard import LockoutGuard, Refusals
from backtrace_jira_cli.deployment.remedies import explained
from backtrace_jira_cli.deployment.stored_settings import Unusable
from backtrace_jira_cli.exits import Stop, wrong_usage
from backtrace_jira_cli.webhook.registration import (
    JiraWebhooks,
    NotAdministrator,
    Registration,
    Wanted,
    differences,
    project_filter,
)
from backtrace_jira_cli.webhook.registration_target import GATEWAY, RegistrationTarget
from backtrace_jira_cli.webhook.result import IN_WORDS, Outcome, Result
from backtrace_jira_cli.webhook.secret import WebhookSecret

COLUMNS = ("enabled", "url", "events", "body", "jql", "signed")
IN_THE_ADDRESS = (
    "This server cannot sign its webhooks (Data Center 9 and older): the secret is the last part of the address. "
    "Who sees that address in Jira can send webhooks."
)


class WebhookRun:
    """One run of a command."""

    def __init__(self, deployment: Deployment, console: Console, address: str) -> None:
        self._console = console
        self._address = address
        self._store = deployment.store
        self._stored = deployment.stored
        self._names = deployment.names
        self._stored_settings = deployment.settings
        self._integrations = deployment.integrations
        self._refusals: Refusals = {}
        self._secrets: list[WebhookSecret] = []

    def install(self, connection: str | None, *, rotate: bool) -> None:
        """Register, or bring what is registered to what it should be."""
        outcomes = self._each(connection, lambda place: self._installed(place, rotate))
        self._end(outcomes, "Not every webhook is registered")

    def status(self, connection: str | None) -> None:
        """Show what is registered."""
        outcomes = self._each(connection, self._seen)
        rows = [_row(outcome) for outcome in outcomes]
        self._console.show_table(("connection", "registered", *COLUMNS, "last problem"), rows)
        mends = any(outcome.ending is Result.NOT_FINE for outcome in outcomes)
        advice = "; backtrace-jira webhook install mends it" if mends else ""
        self._end(outcomes, f"Not every webhook is known to be as it should be{advice}")

    def remove(self, connection: str | None, *, forget_secret: bool) -> None:
        """Delete what is registered at our address."""
        outcomes = self._each(connection, lambda place: self._removed(place, forget_secret), needed=False)
        self._end(outcomes, "Not every webhook is removed")

    # One connection after the other

    def _each(
        self, only: str | None, do: Callable[[RegistrationTarget], Outcome], *, needed: bool = True
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        reported: list[dict[str, Any]] = []
        self._console.report["connections"] = reported
        for name in self._named(only):
            with self._console.show_progress(f"asking the Jira of {name}"):
                outcome = self._done(name, do, needed=needed)
            outcome.notes = [self._shown(text) for text in outcome.notes]
            outcome.state = {column: self._shown(text) for column, text in outcome.state.items()}
            self._tell(outcome)
            outcomes.append(outcome)
            reported.append(outcome.as_json())
        return outcomes

    def _done(self, name: str, do: Callable[[RegistrationTarget], Outcome], *, needed: bool) -> Outcome:
        users = [each for each in self._integrations.values() if each.connection == name]
        if needed and not users:
            return Outcome(name, Result.SKIPPED, ["no integration uses this connection"])
        try:
            return do(self._place(name, users))
        except Unusable as error:
            return Outcome(name, Result.FAILED, [str(error), error.remedy])
        except BacktraceJiraError as error:
            return Outcome(name, Result.FAILED, list(explained(error)))

    def _named(self, only: str | None) -> list[str]:
        root = self._names.connection("")
        known = sorted(name.removeprefix(root) for name in self._stored if name.startswith(root))
        if not known:
            raise wrong_usage("No connection is stored here; backtrace-jira configure writes them.")
        if only is not None and only not in known:
            raise wrong_usage(f"No connection has this name. Stored: {', '.join(known)}.")
        return known if only is None else [only]

    def _place(self, name: str, users: Sequence[Integration]) -> RegistrationTarget:
        """Look who answers, and be let in, before webhooks are asked for: what they answer means no more then."""
        connection = self._stored_settings.read_connection(name)
        secret = WebhookSecret(self._store, self._names, name)
        self._secrets.append(secret)
        gateway = urlsplit(connection.jira_api).hostname == GATEWAY
        server = Server(cloud=True) if gateway else self._server(connection)
        return RegistrationTarget(
            connection=connection,
            jira=None if gateway else self._asking(connection, server),
            server=server,
            secret=secret,
            name=f"backtrace-jira {self._names.prefix.removeprefix(f'{ROOT}/')} {name}",
            address=f"{self._address}/{name}",
            jql=project_filter([each.project_key for each in users]),
            region=self._store.region,
        )

    def _server(self, connection: Connection) -> Server:
        """Ask with the account: a site may tell nobody else."""
        tickets = JiraClient(
            connection, self._stored_settings.read_jira_secret(connection.name), timeouts=TIMEOUTS
        )
        asking = LockoutGuard(tickets, self._credential(connection), self._refusals)
        asking.ask(JiraClient.account)
        server = Server.from_info(dict(asking.ask(JiraClient.server_info)))
        if server is None:
            raise NeedsAttention("what answers does not say its version as Jira does")
        return server

    def _asking(self, connection: Connection, server: Server) -> LockoutGuard[JiraWebhooks]:
        client = JiraWebhooks(connection, self._stored_settings.read_jira_secret(connection.name), server)
        return LockoutGuard(client, self._credential(connection), self._refusals)

    def _credential(self, connection: Connection) -> tuple[str, str | None, str]:
        secret = self._stored_settings.read_jira_secret(connection.name).get_secret_value()
        return urlsplit(connection.jira_api).netloc, connection.email, secret

    # install

    def _installed(self, place: RegistrationTarget, rotate: bool) -> Outcome:
        name = place.connection.name
        found = self._registered(place)
        if rotate and place.secret.exists:
            self._rotate(place)
        if found is None or place.jira is None:
            return self._to_be_done_by_hand(place)
        here = [each for each in found if place.is_here(each)]
        named = [each for each in found if each.name == place.name and each not in here]
        wanted, notes = place.wanted, [] if place.signs else [IN_THE_ADDRESS]
        ending = self._written(place, wanted, [*here, *named], notes)
        for each in here[1:]:
            place.jira.ask(partial(JiraWebhooks.remove, registration=each))
            notes.append("a second registration at the same address was removed")
            ending = Result.UPDATED
        wrong = self._still_wrong(place, wanted) if ending is not Result.UNCHANGED else {}
        notes += self._settled(place, keep_former=rotate or bool(wrong))
        if wrong:
            notes += [f"Jira took it, and yet: {text}" for text in wrong.values()]
        return Outcome(name, Result.FAILED if wrong else ending, notes)

    def _settled(self, place: RegistrationTarget, *, keep_former: bool) -> list[str]:
        """Keep the secret that Jira has, and no other unless it may still be needed."""
        if not place.secret.exists:
            place.secret.settle()
            return []
        if not place.secret.replaces_another:
            return []
        if keep_former:
            return [
                "the secret was replaced; for what is under way the former one is accepted until you run "
                "`backtrace-jira webhook install` again"
            ]
        place.secret.settle()
        return ["the former secret is not accepted any more"]

    def _written(
        self, place: RegistrationTarget, wanted: Wanted, ours: Sequence[Registration], notes: list[str]
    ) -> Result:
        if place.jira is None:
            raise AssertionError("there is nothing to write to")
        if not ours:
            place.jira.ask(lambda jira: jira.add(wanted))
            return Result.REGISTERED
        differs = differences(ours[0], wanted, signs=place.signs)
        if not differs and place.secret.exists and not place.secret.replaces_another:
            return Result.UNCHANGED
        place.jira.ask(lambda jira: jira.change(ours[0], wanted))
        if not place.is_here(ours[0]):
            notes.append(f"it led to {_host(ours[0].url)} before")
        differs.pop("url", None)
        notes += [f"mended: {text}" for text in differs.values()]
        return Result.UPDATED

    def _still_wrong(self, place: RegistrationTarget, wanted: Wanted) -> dict[str, str]:
        """Read back what was written: Data Center 10 silently ignores what it does not know."""
        found = next((each for each in self._registered(place) or () if each.url == wanted.url), None)
        if found is None:
            return {"registered": "it is not among the registered webhooks"}
        return differences(found, wanted, signs=place.signs)

    def _rotate(self, place: RegistrationTarget) -> None:
        """Let both secrets be accepted, by whoever has read the former one a moment ago, too."""
        place.secret.rotate()
        with self._console.show_progress("waiting until the new secret is known"):
            time.sleep(SHORTEST_AGE + 1)

    def _registered(self, place: RegistrationTarget) -> list[Registration] | None:
        """Return all registrations; None where they are not for us."""
        if place.jira is None:
            return None
        try:
            return place.jira.ask(JiraWebhooks.all)
        except NotAdministrator:
            return None

    def _to_be_done_by_hand(self, place: RegistrationTarget) -> Outcome:
        if not place.secret.exists:
            place.secret.settle()
        notes = [place.why_by_hand]
        if place.secret.replaces_another:
            notes.append(
                "The former secret is accepted, too, until its line, which is not the first, is taken out of "
                f"{place.secret.parameter}."
            )
        return Outcome(place.connection.name, Result.BY_HAND, notes, place.by_hand.steps())

    # status and remove

    def _seen(self, place: RegistrationTarget) -> Outcome:
        name = place.connection.name
        found = self._registered(place)
        if found is None or place.jira is None:
            return Outcome(
                name, Result.BY_HAND, [place.why_by_hand], place.by_hand.steps(), {"registered": "not known"}
            )
        ours = [each for each in found if place.is_here(each)] or [e for e in found if e.name == place.name]
        if not ours or not place.secret.exists:
            why = (
                "no webhook of ours is registered" if not ours else "the secret is missing in Parameter Store"
            )
            return Outcome(name, Result.NOT_FINE, [why], state={"registered": "yes" if ours else "no"})
        one = ours[0]
        wrong = differences(one, place.wanted, signs=place.signs)
        problem = place.jira.ask(lambda jira: jira.last_problem(one))
        state = {"registered": "yes", **{each: "no" if each in wrong else "yes" for each in COLUMNS}}
        if not place.signs:
            state["signed"] = "secret in URL"
        elif one.signed is None:
            state["signed"] = "not told"
        notes = [*wrong.values(), *([f"the last delivery failed: {problem}"] if problem else [])]
        if place.secret.replaces_another:
            notes.append("a former secret is still accepted; `webhook install` ends that")
        fine = not wrong and not problem
        return Outcome(
            name,
            Result.FINE if fine else Result.NOT_FINE,
            notes,
            state={**state, "last_problem": problem},
        )

    def _removed(self, place: RegistrationTarget, forget_secret: bool) -> Outcome:
        name = place.connection.name
        found = self._registered(place)
        if found is None or place.jira is None:
            step = f"Open {place.by_hand.site} as a Jira administrator: System > WebHooks, and delete {place.name}."
            return Outcome(name, Result.BY_HAND, [place.why_by_hand], [step])
        here = [each for each in found if place.is_here(each)]
        for each in here:
            place.jira.ask(partial(JiraWebhooks.remove, registration=each))
        notes = [
            f"another one is called {place.name}, leads to {_host(each.url)}, and was left alone"
            for each in found
            if each.name == place.name and each not in here
        ]
        if forget_secret and place.secret.exists:
            self._store.delete(place.secret.parameter)
            notes.append("its secret was deleted")
        return Outcome(name, Result.REMOVED if here else Result.ABSENT, notes)

    # Telling

    def _tell(self, outcome: Outcome) -> None:
        style = "green" if outcome.ending.is_well else "yellow"
        self._console.say(f"{outcome.connection}: {IN_WORDS[outcome.ending]}", style)
        for note in outcome.notes:
            self._console.say(f"  {note}")
        for number, step in enumerate(outcome.steps, 1):
            self._console.say(f"  {number}. {step}")

    def _end(self, outcomes: Sequence[Outcome], sentence: str) -> None:
        wrong = [outcome.connection for outcome in outcomes if not outcome.ending.is_well]
        if wrong:
            raise Stop(f"{sentence}: {', '.join(wrong)}.")

    def _shown(self, text: str) -> str:
        """Take out every secret: a server may repeat what it was sent."""
        for secret in (each for one in self._secrets for each in one.all):
            text = text.replace(secret, "***")
        return self._stored_settings.hide_secrets(text)


def _row(outcome: Outcome) -> Sequence[str]:
    state = outcome.state
    return (
        outcome.connection,
        state.get("registered", "-"),
        *(state.get(column, "-") for column in COLUMNS),
        state.get("last_problem") or "-",
    )


def _host(url: str) -> str:
    """Return where an address leads; what follows may be a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else "an address that cannot be read"
