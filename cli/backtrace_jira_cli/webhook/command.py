"""`backtrace-jira webhook`: its options and help."""

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from backtrace_jira_cli.options import operator_command

if TYPE_CHECKING:
    from backtrace_jira_cli.console import Console
    from backtrace_jira_cli.deployment.deployment import Deployment
    from backtrace_jira_cli.webhook.webhook_run import WebhookRun

webhook = typer.Typer(
    no_args_is_help=True,
    help="Let Jira report its changes: install, inspect and remove its webhooks.",
)

ConnectionName: TypeAlias = Annotated[
    str | None,
    typer.Option("--connection", help="Only this connection. Without it: all.", show_default=False),
]
Url: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Address that Jira sends to, instead of the deployment's own. The connection's name is appended.",
        show_default=False,
    ),
]


@webhook.command()
@operator_command
def install(
    console: "Console",
    deployment: "Deployment",
    connection: ConnectionName = None,
    url: Url = None,
    rotate_secret: Annotated[
        bool, typer.Option("--rotate-secret", help="Replace the secret that Jira signs webhooks with.")
    ] = False,
) -> None:
    """Register our webhook in Jira, or correct the one that is there.

    For each connection this makes a secret, keeps it in Parameter Store, tells
    Jira which changes of which projects to report, and reads back what Jira
    stored. A second run changes nothing.

    The account of the connection has to be a Jira administrator. If it is not,
    the steps to do by hand are printed.

    Your AWS rights: ssm:GetParametersByPath, ssm:GetParameter, ssm:PutParameter,
    kms:Decrypt and kms:Encrypt.

    \b
    Examples:
      All connections of the stage dev:
        $ backtrace-jira webhook install
      One connection in production, with a new secret:
        $ backtrace-jira webhook install --stage prod --connection main \\
            --rotate-secret
      Behind an address of your own:
        $ backtrace-jira webhook install --url https://hooks.example.com/jira

    \b
    Exit codes:
      0  registered, and read back as it should be
      1  something failed, or you have to do it by hand
      2  wrong usage
    """
    _open(console, deployment, url).install(connection, rotate=rotate_secret)


@webhook.command()
@operator_command
def status(
    console: "Console",
    deployment: "Deployment",
    connection: ConnectionName = None,
    url: Url = None,
) -> None:
    """Show whether Jira's webhooks are registered as they should be.

    Nothing is changed. Data Center 10 reports how the last delivery ended, but
    not whether it signs. Cloud reports that it signs, and nothing about
    deliveries. Data Center 9 and older report neither.

    Your AWS rights: ssm:GetParametersByPath, ssm:GetParameter and kms:Decrypt.

    \b
    Examples:
      All connections of the stage dev:
        $ backtrace-jira webhook status
      In a pipeline:
        $ backtrace-jira webhook status --stage prod --json

    \b
    Exit codes:
      0  every webhook is as it should be
      1  one is not, or could not be looked at
      2  wrong usage
    """
    _open(console, deployment, url).status(connection)


@webhook.command()
@operator_command
def remove(
    console: "Console",
    deployment: "Deployment",
    connection: ConnectionName = None,
    url: Url = None,
    forget_secret: Annotated[
        bool, typer.Option("--forget-secret", help="Delete the secret in Parameter Store, too.")
    ] = False,
) -> None:
    """Remove our webhook from Jira.

    Only webhooks that lead to this deployment are removed. The schedule still
    notices changes in Jira, but later.

    Your AWS rights: as for `webhook status`; with --forget-secret also
    ssm:DeleteParameters.

    \b
    Examples:
      Until the next `webhook install`:
        $ backtrace-jira webhook remove --connection main
      For good:
        $ backtrace-jira webhook remove --connection main --forget-secret

    \b
    Exit codes:
      0  removed, or there was none
      1  something failed, or you have to do it by hand
      2  wrong usage
    """
    _open(console, deployment, url).remove(connection, forget_secret=forget_secret)


def _open(console: "Console", deployment: "Deployment", url: str | None) -> "WebhookRun":
    from backtrace_jira_cli.deployment.deployment import ensure_safe_address
    from backtrace_jira_cli.webhook.webhook_run import WebhookRun

    address = ensure_safe_address("--url", url)
    console.report |= {"prefix": deployment.names.prefix, "region": deployment.store.region}
    return WebhookRun(deployment, console, address or deployment.read_output("webhook_url").rstrip("/"))
