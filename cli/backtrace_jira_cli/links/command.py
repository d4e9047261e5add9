"""`backtrace-jira links`: its options and help."""

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from backtrace_jira_cli.options import GroupFingerprint, OnlyIntegration, Yes, operator_command

if TYPE_CHECKING:
    from backtrace_jira_cli.console import Console
    from backtrace_jira_cli.deployment.deployment import Deployment

Everywhere: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--all",
        help="Read the whole table, also for links of integrations that are no longer in the settings.",
    ),
]

links = typer.Typer(
    no_args_is_help=True, help="See which error group has which ticket. Link and unlink by hand."
)


@links.command("list")
@operator_command
def list_links(
    console: "Console",
    deployment: "Deployment",
    integration: OnlyIntegration = None,
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, max=10_000, help="List at most this many links.")
    ] = 50,
    everywhere: Everywhere = False,
    problems: Annotated[
        bool, typer.Option("--problems", help="Only links of which `links show` says what could not be done.")
    ] = False,
) -> None:
    """List error groups that have a ticket or may be getting one, the last decision first.

    All rows of the integrations are read for it, also of those whose settings are
    not valid: a warning says why. Links of an integration that is no longer in
    the settings are listed with --all.

    Your AWS rights: ssm:GetParametersByPath, and dynamodb:Query on the link
    table; with --all dynamodb:Scan.

    \b
    Examples:
      The last 50 links:
        $ backtrace-jira links list
      For a script, those of one integration:
        $ backtrace-jira links list --integration jira-bugs --count 200 --json
      What an integration has left that was deleted:
        $ backtrace-jira links list --all

    \b
    Exit codes:
      0  listed
      1  AWS refused
      2  wrong usage
    """
    import time

    from backtrace_jira_cli.exits import wrong_usage
    from backtrace_jira_cli.links.overview import Overview

    if everywhere and integration:
        raise wrong_usage("--all is about every integration. Leave out --all, or --integration.")
    Overview(deployment.known_integrations, deployment.link_table, console, time.time()).list_links(
        count, integration, everywhere=everywhere, only_problems=problems
    )


@links.command()
@operator_command
def show(
    console: "Console",
    deployment: "Deployment",
    group_or_ticket: Annotated[
        str,
        typer.Argument(
            metavar="FINGERPRINT|ISSUE-KEY",
            help="Fingerprint of an error group, or its first characters (at least 6); or the key of a ticket.",
            show_default=False,
        ),
    ],
    integration: OnlyIntegration = None,
    everywhere: Everywhere = False,
) -> None:
    """Show everything that is known about a link: ticket, Fix Versions, last decision, last synchronisation.

    With the key of a ticket you see every error group that is linked to it.

    The Fix Versions are those that were read when ticket and group were last
    brought in step; what they mean is by the settings as they are now.

    Your AWS rights: ssm:GetParametersByPath, dynamodb:Query on the link table and
    its index, and dynamodb:BatchGetItem on the table; with --all dynamodb:Scan.

    \b
    Examples:
      By error group:
        $ backtrace-jira links show 8910551e27a3
      By ticket, in production:
        $ backtrace-jira links show BUG-42 --stage prod

    \b
    Exit codes:
      0  shown
      1  there is no such link, or AWS refused
      2  wrong usage
    """
    import time

    from backtrace_jira_cli.exits import wrong_usage
    from backtrace_jira_cli.links.overview import Overview

    if everywhere and integration:
        raise wrong_usage("--all is about every integration. Leave out --all, or --integration.")
    Overview(deployment.known_integrations, deployment.link_table, console, time.time()).show(
        group_or_ticket.strip(), integration, everywhere=everywhere
    )


@links.command()
@operator_command
def check(
    console: "Console",
    deployment: "Deployment",
    issue_key: Annotated[
        str | None,
        typer.Argument(metavar="ISSUE-KEY", help="Key of a ticket with links.", show_default=False),
    ] = None,
    integration: OnlyIntegration = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Check all links of the deployment; one integration's with --integration."
        ),
    ] = False,
) -> None:
    """Compare links with their tickets and error groups now, and bring in step what differs.

    The function poll_fix_versions does the same with a few links in each run. This
    command does it at once, for example after a change of the settings, or when a
    refused write is allowed by now. It moves no dead letter back, and passes over
    integrations without sync and fix_versions. Two at the same time do no harm.

    Your AWS rights: as for `links show` and `links add`, and dynamodb:Scan on the
    index, dynamodb:PutItem, sqs:SendMessage on the queue of error events.

    \b
    Examples:
      One ticket with all its groups:
        $ backtrace-jira links check BUG-42
      All links:
        $ backtrace-jira links check --all --stage prod

    \b
    Exit codes:
      0  all are in step now
      1  there is no such link, or something could not be looked at or carried;
         each line says why
      2  wrong usage
    """
    import time

    from backtrace_jira_cli.deployment.synchronisation import wire_poll
    from backtrace_jira_cli.exits import wrong_usage
    from backtrace_jira_cli.links.arguments import parse_issue_key
    from backtrace_jira_cli.links.check_run import CheckRun, all_pages
    from backtrace_jira_cli.links.overview import Overview

    if issue_key and everything:
        raise wrong_usage("--all checks all links. Leave out --all, or the key of the ticket.")
    if not (issue_key or everything or integration):
        raise wrong_usage("Give the key of a ticket, or --all, or --integration.")
    table = deployment.link_table
    run = CheckRun(deployment.choose_integrations(integration), console)
    poll = wire_poll(deployment, run.report)
    if issue_key:
        key = parse_issue_key(issue_key)
        overview = Overview(deployment.known_integrations, table, console, time.time())
        run.check(poll, [overview.find_linked(key, integration)])
    else:
        run.check(poll, all_pages(table.poll_memory.links_after))


@links.command()
@operator_command
def add(
    console: "Console",
    deployment: "Deployment",
    issue_key: Annotated[
        str, typer.Argument(metavar="ISSUE-KEY", help="Key of an existing ticket.", show_default=False)
    ],
    fingerprints: Annotated[
        list[str],
        typer.Argument(
            metavar="FINGERPRINT...", help="Whole fingerprints of error groups.", show_default=False
        ),
    ],
    integration: Annotated[
        str | None,
        typer.Option(
            help="universe/project/name, or its name. Needed where there are several.", show_default=False
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="If a group has another ticket, unlink that one first.")
    ] = False,
) -> None:
    """Link an existing ticket to error groups, in the link table and in Backtrace.

    Several groups may share one ticket. A group has one ticket for each
    integration. A group for which a ticket is being created at this moment is
    left alone.

    Your AWS rights: ssm:GetParametersByPath, ssm:GetParameter, kms:Decrypt, and
    dynamodb:UpdateItem, GetItem and DeleteItem on the link table.

    \b
    Examples:
      One group:
        $ backtrace-jira links add BUG-42 8910551e27a339e5
      Two groups, one of which has another ticket:
        $ backtrace-jira links add BUG-42 8910551e27a339e5 77aa01be2390c0ff \\
            --integration jira-bugs --replace

    \b
    Exit codes:
      0  all are linked
      1  some are not; each line says why
      2  wrong usage
    """
    from backtrace_jira_cli.links.arguments import parse_fingerprints, parse_issue_key
    from backtrace_jira_cli.links.link_changes import LinkChanges

    key, groups = parse_issue_key(issue_key), parse_fingerprints(fingerprints)
    settings = deployment.choose_integration(integration)
    changes = LinkChanges(
        settings, deployment.settings, deployment.link_table, console, stage=deployment.stage
    )
    changes.add(key, groups, replace=replace)


@links.command()
@operator_command
def remove(
    console: "Console",
    deployment: "Deployment",
    fingerprint: Annotated[str, GroupFingerprint],
    integration: OnlyIntegration = None,
    yes: Yes = False,
) -> None:
    """Unlink an error group from its ticket, in the link table and in Backtrace.

    The ticket itself does not change. The next error of the group creates a new
    ticket.

    Your AWS rights: as for `links add`, and dynamodb:Query.

    \b
    Examples:
      With a question before it:
        $ backtrace-jira links remove 8910551e27a3
      In a script:
        $ backtrace-jira links remove 8910551e27a339e5 --yes

    \b
    Exit codes:
      0  unlinked
      1  there is no such link, it could not be removed, or you answered no
      2  wrong usage
    """
    import time

    from backtrace_jira_cli.exits import Stop
    from backtrace_jira_cli.links.arguments import choose_group, ensure_agreed
    from backtrace_jira_cli.links.link_changes import LinkChanges
    from backtrace_jira_cli.links.overview import Overview

    overview = Overview(deployment.known_integrations, deployment.link_table, console, time.time())
    found = choose_group(fingerprint.strip(), overview.find(fingerprint.strip(), integration))
    name = found[0].key.integration
    settings = deployment.known_integrations.settings(name)
    if settings is None:
        raise Stop(f"{name}: {deployment.known_integrations.problem(name)}. Correct them, then try again.")
    if not yes:
        ensure_agreed(console, found)
    changes = LinkChanges(
        settings, deployment.settings, deployment.link_table, console, stage=deployment.stage
    )
    changes.remove(found)
