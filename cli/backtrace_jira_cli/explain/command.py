"""`backtrace-jira explain`: why there is a ticket, or none."""

from __future__ import annotations

from typing import Annotated

import typer

WHERE = "Which deployment"


def explain(
    fingerprint: Annotated[
        str | None,
        typer.Argument(
            help="Fingerprint of the error group, or how it begins (at least 6 characters).",
            show_default=False,
        ),
    ] = None,
    recent: Annotated[bool, typer.Option("--recent", help="List the last decisions, newest first.")] = False,
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, max=1000, help="How many --recent lists.")
    ] = 20,
    integration: Annotated[
        str | None,
        typer.Option(help="Only this one: universe/project/name, or its name.", show_default=False),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(help="Stage, as deployed: dev, prod, …", show_default="dev", rich_help_panel=WHERE),
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(
            help="Path in Parameter Store, instead of the stage's own.",
            show_default=False,
            rich_help_panel=WHERE,
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
            help="AWS region. Without it, the profile's.",
            show_default=False,
            rich_help_panel=WHERE,
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            envvar="AWS_PROFILE", help="AWS profile to use.", show_default=False, rich_help_panel=WHERE
        ),
    ] = None,
    endpoint_url: Annotated[
        str | None,
        typer.Option(
            help="Address of another AWS, e.g. of an emulated one on this machine.",
            show_default=False,
            rich_help_panel=WHERE,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")] = False,
) -> None:
    """Say what was decided about an error group, and why.

    For each integration: the ticket, or why there is none, in Jira's own words
    field by field; the rule of the settings that decided; until when Jira is
    not asked again; and what to do.

    It reads settings (ssm:GetParametersByPath) and the link table
    (dynamodb:Query and dynamodb:GetItem), and changes nothing.

    \b
    Examples:
      Why is there no ticket?
        $ backtrace-jira explain 8910551e27a3
      What happened lately?
        $ backtrace-jira explain --recent --count 50

    \b
    Exit codes:
      0  something is known, and was told
      1  nothing is known of this group, or AWS refused
      2  wrong usage
    """
    # Imported here, so that --help does not wait for boto3 and pydantic.
    import time

    from backtrace_jira_cli.console import Console
    from backtrace_jira_cli.deployment.deployment import deployed, local_or_encrypted, parameter_names
    from backtrace_jira_cli.deployment.link_table import open_link_table
    from backtrace_jira_cli.deployment.parameter_store import open_store
    from backtrace_jira_cli.exits import wrong_usage
    from backtrace_jira_cli.explain.run import ExplainRun

    console = Console(machine=as_json)
    with console.ending():
        if bool(fingerprint) == recent:
            raise wrong_usage("Give a fingerprint, or --recent.")
        names = parameter_names(stage, prefix)
        endpoint = local_or_encrypted(endpoint_url)
        stored = open_store(region=region, profile=profile, endpoint_url=endpoint).read(names.prefix)
        table = deployed(stored, names, "links_table")
        links = open_link_table(table, region=region, profile=profile, endpoint_url=endpoint)
        explaining = ExplainRun(stored, names, links, console, time.time())
        if fingerprint:
            explaining.explain_group(fingerprint.strip(), integration)
        else:
            explaining.recent(count, integration)
