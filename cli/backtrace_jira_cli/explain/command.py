"""`backtrace-jira explain`: its options and help."""

from typing import TYPE_CHECKING, Annotated

import typer

from backtrace_jira_cli.options import GroupFingerprint, OnlyIntegration, operator_command

if TYPE_CHECKING:
    from backtrace_jira_cli.console import Console
    from backtrace_jira_cli.deployment.deployment import Deployment


@operator_command
def explain(
    console: "Console",
    deployment: "Deployment",
    fingerprint: Annotated[str | None, GroupFingerprint] = None,
    recent: Annotated[
        bool, typer.Option("--recent", help="List the last decisions instead, newest first.")
    ] = False,
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, max=1000, help="How many decisions --recent lists.")
    ] = 20,
    integration: OnlyIntegration = None,
) -> None:
    """Explain why an error group has a ticket, or why it has none.

    For each integration you see the ticket, or why there is none: Jira's own
    words field by field, the rule in the settings that decided, until when Jira
    is not asked again, and what to do. With Fix Versions you see what those of
    the ticket mean: until which version the group is resolved, or why it is not.

    A group that waits has no record before its first call to Jira. You see what
    it waits for: a parking, a pause, a server that is away, a pace. --recent
    shows that, too.

    --recent lists the last decision about each group's ticket. It does not list
    what was carried between ticket and group later, or a regression that reopened
    the ticket: the fingerprint or `links show` tells of these.

    Nothing is changed. --recent reads all rows of its integrations: a megabyte
    and 128 read units for every 2,000 links.

    Your AWS rights: ssm:GetParametersByPath for the settings, dynamodb:Query and
    dynamodb:GetItem on the link table.

    \b
    Examples:
      Why is there no ticket?
        $ backtrace-jira explain 8910551e27a3
      What happened lately?
        $ backtrace-jira explain --recent --count 50
      What happened lately to one integration in production?
        $ backtrace-jira explain --recent --integration jira-bugs --stage prod

    \b
    Exit codes:
      0  explained
      1  nothing is known about this group, or AWS refused
      2  wrong usage
    """
    import time

    from backtrace_jira_cli.exits import wrong_usage
    from backtrace_jira_cli.explain.explain_run import ExplainRun

    if not fingerprint and not recent:
        raise wrong_usage("Name an error group by its fingerprint, or list the last decisions with --recent.")
    if fingerprint and recent:
        raise wrong_usage(
            "--recent lists decisions about all groups. Leave out --recent, or the fingerprint."
        )
    run = ExplainRun(deployment.known_integrations, deployment.link_table, console, time.time())
    if fingerprint:
        run.explain_group(fingerprint.strip(), integration)
    else:
        run.list_recent(count, integration)
