"""`backtrace-jira configure`: its options and help."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backtrace_jira_cli.configure.leftover import Leftover
from backtrace_jira_cli.options import Yes, operator_command

if TYPE_CHECKING:
    from backtrace_jira_cli.console import Console
    from backtrace_jira_cli.deployment.deployment import Deployment


@operator_command
def configure(
    console: "Console",
    deployment: "Deployment",
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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change. Write nothing, ask nothing.")
    ] = False,
    yes: Yes = False,
    ask_secrets: Annotated[
        bool,
        typer.Option(
            "--ask-secrets",
            help="Ask for secrets that are stored already, too, for example to replace a token.",
        ),
    ] = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Delete what is stored and not in this file: first integrations, then universes and "
            "connections, then their secrets.",
        ),
    ] = False,
    reopen_criteria: Annotated[
        Leftover | None,
        typer.Option(
            "--reopen-criteria",
            help="Where an integration stops using Fix Versions (fix_versions.enabled, or --prune): keep our reopen "
            "criteria in Backtrace, or remove them.",
            show_default=False,
        ),
    ] = None,
    no_check: Annotated[
        bool,
        typer.Option(
            "--no-check",
            help="Write without checking first whether Jira and Backtrace accept the settings.",
        ),
    ] = False,
) -> None:
    """Write a settings file and its secrets to Parameter Store.

    \b
    1. The whole file is validated. Every mistake is listed with its line.
    2. You see what would change.
    3. Jira and Backtrace are checked with the new settings, as by
       `backtrace-jira check`.
    4. You are asked.
    5. Only what differs is written: secrets first, integrations last. A second
       run writes nothing.

    Secrets are not in the file. Each one is taken from its environment variable:
    BACKTRACE_JIRA_TOKEN_MAIN for the connection main, BACKTRACE_TOKEN_MY_TEAM
    for the Backtrace universe my-team. Without the variable, the stored secret
    stays. If none is stored, you are asked, and the terminal does not show what
    you type.

    Your AWS rights: ssm:GetParametersByPath, ssm:GetParameter, ssm:PutParameter,
    kms:Encrypt and kms:Decrypt; with --prune also ssm:DeleteParameters.

    An integration that stops using Fix Versions leaves reopen criteria of ours in
    Backtrace. You are told in how many groups, and asked whether they stay. That
    is done before anything is written, group by group; if it is cut off, the same
    command goes on with the rest. Your AWS rights for it: dynamodb:Query, GetItem,
    UpdateItem and DeleteItem on the link table.

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
      Delete what you have removed from the file:
        $ backtrace-jira configure settings.yaml --prune
      Fix Versions were switched off in the file; take out what they left:
        $ backtrace-jira configure settings.yaml --reopen-criteria remove

    \b
    Exit codes:
      0  written, or nothing to write
      1  a check failed, AWS refused, or you answered no; what was written
         before that is listed
      2  wrong usage, or the settings file is not valid; nothing was written
    """
    import os

    from backtrace_jira_cli.configure.checks import check_before_writing, stored_settings
    from backtrace_jira_cli.configure.configure_run import ConfigureRun, Options
    from backtrace_jira_cli.configure.left_criteria import LeftCriteria
    from backtrace_jira_cli.configure.settings_file import read_start

    ConfigureRun(
        lambda: deployment.store,
        deployment.names,
        console,
        os.environ,
        Options(dry_run=dry_run, yes=yes, ask_secrets=ask_secrets, prune=prune),
        before_writing=[] if no_check else [check_before_writing(deployment.names, console)],
        leftovers=LeftCriteria(
            deployment.names,
            console,
            lambda: deployment.link_table if deployment.is_deployed else None,
            lambda preparation: stored_settings(preparation, deployment.names),
            reopen_criteria,
        ),
    ).run(read_start(file))
