"""`backtrace-jira configure`: settings file and secrets into Parameter Store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

WHERE = "Where it is stored"
HOW = "How it is done"


def configure(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.yaml",
            exists=True,
            dir_okay=False,
            readable=True,
            show_default=False,
            help="Settings file: connections, backtrace, integrations. docs/settings.md explains every key.",
        ),
    ],
    stage: Annotated[
        str | None,
        typer.Option(
            help="Stage that is configured, as deployed: dev, prod, … It names the path /backtrace-jira/STAGE.",
            show_default="dev",
            rich_help_panel=WHERE,
        ),
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
            envvar="AWS_PROFILE",
            help="AWS profile to use.",
            show_default=False,
            rich_help_panel=WHERE,
        ),
    ] = None,
    endpoint_url: Annotated[
        str | None,
        typer.Option(
            help="Address of another SSM, e.g. of an emulated one on this machine.",
            show_default=False,
            rich_help_panel=WHERE,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Show what would change, write nothing, ask nothing.", rich_help_panel=HOW
        ),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            "-y",
            help="Write without asking. Needed where there is no terminal.",
            rich_help_panel=HOW,
        ),
    ] = False,
    ask_secrets: Annotated[
        bool,
        typer.Option(
            "--ask-secrets", help="Ask for stored secrets, too, e.g. to replace a token.", rich_help_panel=HOW
        ),
    ] = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Delete what is stored and not in this file: integrations, then connections and universes, "
            "then their secrets.",
            rich_help_panel=HOW,
        ),
    ] = False,
    no_check: Annotated[
        bool,
        typer.Option(
            "--no-check",
            help="Do not ask Jira and Backtrace whether the settings work before they are written.",
            rich_help_panel=HOW,
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print one JSON object for machines. Nothing is asked: add --yes or --dry-run.",
            rich_help_panel=HOW,
        ),
    ] = False,
) -> None:
    """Write a settings file and its secrets to Parameter Store.

    The file is checked as a whole first, and every mistake is listed with its
    line. Then you see what would change, Jira and Backtrace are asked whether it
    would work (as `backtrace-jira check` does), you are asked, and only what
    differs is written: secrets first, integrations last. A second run writes
    nothing.

    Secrets are not in the file. Each comes from its environment variable, else
    stays as it is stored, else is asked for without showing:
    BACKTRACE_JIRA_TOKEN_MAIN for the connection main, BACKTRACE_TOKEN_MY_TEAM
    for the Backtrace universe my-team.

    \b
    Examples:
      Look first, then write to the stage dev:
        $ backtrace-jira configure settings.yaml --dry-run
        $ backtrace-jira configure settings.yaml
      Production, in another region and account:
        $ backtrace-jira configure settings.yaml --stage prod \\
            --region eu-west-1 --profile production
      In a pipeline, with the secrets in its environment:
        $ backtrace-jira configure settings.yaml --yes --json
      Replace a token that has expired:
        $ backtrace-jira configure settings.yaml --ask-secrets
      Forget what is no longer in the file:
        $ backtrace-jira configure settings.yaml --prune

    \b
    Exit codes:
      0  done, or nothing to do
      1  refused, failed, or a check failed; what was written until then is listed
      2  wrong usage, or the settings file is not valid; nothing was written
    """
    # Imported here, so that --help does not wait for boto3 and pydantic.
    import os

    from backtrace_jira_cli.configure.checks import check_before_writing
    from backtrace_jira_cli.configure.run import ConfigureRun, Options
    from backtrace_jira_cli.configure.settings_file import beginning_of
    from backtrace_jira_cli.console import Console
    from backtrace_jira_cli.deployment.deployment import local_or_encrypted, parameter_names
    from backtrace_jira_cli.deployment.parameter_store import open_store

    console = Console(machine=as_json)
    with console.ending():
        names = parameter_names(stage, prefix)
        endpoint = local_or_encrypted(endpoint_url)
        ConfigureRun(
            lambda: open_store(region=region, profile=profile, endpoint_url=endpoint),
            names,
            console,
            os.environ,
            Options(dry_run=dry_run, yes=yes, ask_secrets=ask_secrets, prune=prune),
            before_writing=[] if no_check else [check_before_writing(names, console)],
        ).run(beginning_of(file))
