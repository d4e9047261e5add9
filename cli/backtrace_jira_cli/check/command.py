"""`backtrace-jira check`: why there is no ticket, and what to do."""

from __future__ import annotations

from typing import Annotated

import typer

WHERE = "Where it is stored"
HOW = "How it is done"


def check(
    integration: Annotated[
        str | None,
        typer.Argument(
            metavar="[INTEGRATION]",
            show_default=False,
            help="universe/project/name of an integration, or its name if no other has it. Without it: all.",
        ),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(
            help="Stage to check, as deployed: dev, prod, … It names the path /backtrace-jira/STAGE.",
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
    create_test_ticket: Annotated[
        bool,
        typer.Option(
            "--create-test-ticket",
            help="If all is well, make one ticket that says it is a test, and print where it is.",
            rich_help_panel=HOW,
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object for machines.", rich_help_panel=HOW),
    ] = False,
) -> None:
    """Find out what keeps errors from becoming tickets: settings, Jira, its create screen, Backtrace.

    One line for each check: ✓ is well, ! works and should be known, ✗ is to be
    mended, with what to do; - could not be looked at before that. The order is
    that of the product page's troubleshooting list. Nothing is changed, and a
    credential that is refused is never sent again: accounts get locked.

    It reads settings and secrets with your own AWS rights: ssm:GetParametersByPath,
    ssm:GetParameter and kms:Decrypt.

    \b
    Examples:
      Everything on the stage dev:
        $ backtrace-jira check
      One integration in production:
        $ backtrace-jira check jira-bugs --stage prod
      Make a ticket, too, and say where it is:
        $ backtrace-jira check my_universe/my_project/jira-bugs \\
            --create-test-ticket
      In a pipeline:
        $ backtrace-jira check --json

    \b
    Exit codes:
      0  all is well
      1  a check failed, or the settings could not be read
      2  wrong usage, or there is no such integration
    """
    # Imported here, so that --help does not wait for boto3 and pydantic.
    from backtrace_jira_cli.check.run import CheckRun, selected
    from backtrace_jira_cli.console import Console
    from backtrace_jira_cli.deployment.deployment import local_or_encrypted, parameter_names
    from backtrace_jira_cli.deployment.parameter_store import open_store
    from backtrace_jira_cli.deployment.stored_settings import StoredSettings
    from backtrace_jira_cli.exits import wrong_usage

    console = Console(machine=as_json)
    with console.ending():
        names = parameter_names(stage, prefix)
        endpoint = local_or_encrypted(endpoint_url)
        store = open_store(region=region, profile=profile, endpoint_url=endpoint)
        console.report |= {"prefix": names.prefix, "region": store.region, "integrations": []}
        stored_settings = StoredSettings(names, store.read(names.prefix), store.secret)
        paths = selected(integration, list(stored_settings.integrations()))
        if create_test_ticket and len(paths) > 1:
            raise wrong_usage("A test ticket is made for one integration: name it.")
        CheckRun(stored_settings, console).run(paths, with_test_ticket=create_test_ticket)
