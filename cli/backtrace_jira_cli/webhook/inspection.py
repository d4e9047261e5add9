"""Look at one connection's webhook in Jira, or remove it."""

from __future__ import annotations

from functools import partial

from backtrace_jira_cli.webhook.registration import JiraWebhooks, Registration, differences, host_of
from backtrace_jira_cli.webhook.registration_target import RegistrationTarget
from backtrace_jira_cli.webhook.result import ConnectionResult, Result

COLUMNS = ("enabled", "url", "events", "body", "jql", "signed")


def inspect_registration(target: RegistrationTarget) -> ConnectionResult:
    """Compare the registration in Jira with the one that it should have."""
    name = target.connection.name
    registrations = target.find_registrations()
    if registrations is None or target.jira is None:
        unknown = {"registered": "not known"}
        return ConnectionResult(
            name, Result.BY_HAND, [target.why_by_hand], target.manual_steps.steps(), unknown
        )
    here = [each for each in registrations if target.leads_here(each)]
    ours = here or [each for each in registrations if each.name == target.name]
    if not ours:
        why = "no webhook of ours is registered"
        return ConnectionResult(name, Result.NOT_FINE, [why], state={"registered": "no"})
    if not target.secret.exists:
        why = "the secret is missing in Parameter Store"
        return ConnectionResult(name, Result.NOT_FINE, [why], state={"registered": "yes"})
    wrong = differences(ours[0], target.desired, signs=target.signs)
    problem = target.jira.ask(partial(JiraWebhooks.read_last_problem, registration=ours[0]))
    notes = list(wrong.values())
    if problem:
        notes.append(f"the last delivery failed: {problem}")
    if target.secret.replaces_another:
        notes.append("a former secret is still accepted, until you run `backtrace-jira webhook install`")
    return ConnectionResult(
        name,
        Result.NOT_FINE if wrong or problem else Result.FINE,
        notes,
        state={**_columns(target, ours[0], wrong), "last_problem": problem},
    )


def remove_registration(target: RegistrationTarget, *, forget_secret: bool) -> ConnectionResult:
    """Delete the registrations that lead to us. One that only has our name may be somebody else's, and stays."""
    name = target.connection.name
    registrations = target.find_registrations()
    if registrations is None or target.jira is None:
        step = f"Open {target.manual_steps.site} as a Jira administrator: System > WebHooks, and delete {target.name}."
        return ConnectionResult(name, Result.BY_HAND, [target.why_by_hand], [step])
    here = [each for each in registrations if target.leads_here(each)]
    for each in here:
        target.jira.ask(partial(JiraWebhooks.remove, registration=each))
    notes = [
        f"another webhook is called {target.name} and leads to {host_of(each.url)}. It was left as it is"
        for each in registrations
        if each.name == target.name and each not in here
    ]
    if forget_secret and target.secret.exists:
        target.secret.forget()
        notes.append("its secret was deleted")
    return ConnectionResult(name, Result.REMOVED if here else Result.ABSENT, notes)


def _columns(target: RegistrationTarget, registration: Registration, wrong: dict[str, str]) -> dict[str, str]:
    columns = {"registered": "yes", **{each: "no" if each in wrong else "yes" for each in COLUMNS}}
    if not target.signs:
        columns["signed"] = "secret in URL"
    elif registration.signed is None:
        columns["signed"] = "not reported"
    return columns
