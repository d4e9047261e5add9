"""`backtrace-jira check`: its options and help."""

from typing import TYPE_CHECKING, Annotated

import typer

from backtrace_jira_cli.options import operator_command

if TYPE_CHECKING:
    from backtrace_jira_cli.console import Console
    from backtrace_jira_cli.deployment.deployment import Deployment


@operator_command
def check(
    console: "Console",
    deployment: "Deployment",
    integration: Annotated[
        str | None,
        typer.Argument(
            metavar="[INTEGRATION]",
            show_default=False,
            help="universe/project/name of an integration, or its name if no other has it. Without it: all.",
        ),
    ] = None,
    create_test_ticket: Annotated[
        bool,
        typer.Option(
            "--create-test-ticket",
            help="If every check passes, create one ticket that says it is a test, and print its address.",
        ),
    ] = False,
) -> None:
    """Find out what keeps errors from becoming tickets: settings, Jira, its create screen, Backtrace.

    Prints one line for each check. ✓ passed. ! works, but you should know about
    it. ✗ failed, followed by what to do. - was not checked, because a check
    before it failed. The order is that of the product page's troubleshooting
    list.

    Nothing is changed. A credential that Jira or Backtrace refused is not sent
    again: servers lock accounts after a few failed logins.

    Your AWS rights: ssm:GetParametersByPath, ssm:GetParameter and kms:Decrypt.

    \b
    Examples:
      Check everything on the stage dev:
        $ backtrace-jira check
      Check one integration in production:
        $ backtrace-jira check jira-bugs --stage prod
      Create a test ticket, too, and print its address:
        $ backtrace-jira check my_universe/my_project/jira-bugs \\
            --create-test-ticket
      In a pipeline:
        $ backtrace-jira check --json

    \b
    Exit codes:
      0  every check passed, perhaps with warnings
      1  a check failed, or AWS refused to read the settings
      2  wrong usage, or there is no such integration
    """
    from backtrace_jira_cli.check.check_run import CheckRun, choose_paths
    from backtrace_jira_cli.exits import wrong_usage

    console.report |= {
        "prefix": deployment.names.prefix,
        "region": deployment.store.region,
        "integrations": [],
    }
    paths = choose_paths(integration, list(deployment.settings.find_integrations()), deployment.place)
    if create_test_ticket and len(paths) > 1:
        raise wrong_usage("--create-test-ticket creates a ticket for one integration. Give its name, too.")
    CheckRun(deployment.settings, console).run(paths, with_test_ticket=create_test_ticket)
