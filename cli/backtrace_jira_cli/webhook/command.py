"""`backtrace-jira webhook`: let Jira tell of its changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from backtrace_jira_cli.options import AsJson, EndpointUrl, Prefix, Profile, Region, Stage

if TYPE_CHECKING:
    from backtrace_jira_cli.console import Console
    from backtrace_jira_cli.webhook.run import Webhooks

webhook = typer.Typer(
    no_args_is_help=True,
    help="Let Jira tell of its changes: register, look at and remove its webhooks.",
)

ConnectionName = Annotated[
    str | None,
    typer.Option("--connection", help="Only this connection. Without it: all.", show_default=False),
]
Url = Annotated[
    str | None,
    typer.Option(
        help="Address that Jira sends to, without the connection's name, instead of the deployment's own.",
        show_default=False,
    ),
]


@webhook.command()
def install(
    connection: ConnectionName = None,
    url: Url = None,
    rotate_secret: Annotated[
        bool, typer.Option("--rotate-secret", help="Replace the secret that webhooks are signed with.")
    ] = False,
    stage: Stage = None,
    prefix: Prefix = None,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
    as_json: AsJson = False,
) -> None:
    """Register our webhook in Jira, or bring it to what it should be.

    For each connection: a secret is made and kept in Parameter Store, Jira is
    told which changes of which projects to tell of, and what it has is read
    back. A second run changes nothing. The account has to be a Jira
    administrator; if it is not, the steps to do by hand are printed.

    Your AWS rights: ssm:GetParametersByPath, ssm:GetParameter, ssm:PutParameter
    and the key's kms:Decrypt and kms:Encrypt.

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
      1  something failed, or is to be done by hand
      2  wrong usage
    """
    with _ending(as_json) as console:
        webhooks = _open(console, url, stage, prefix, region, profile, endpoint_url)
        webhooks.install(connection, rotate=rotate_secret)


@webhook.command()
def status(
    connection: ConnectionName = None,
    url: Url = None,
    stage: Stage = None,
    prefix: Prefix = None,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show whether Jira's webhooks are registered as they should be.

    Nothing is changed. Data Center 10 does not tell whether it signs, and keeps
    what became of the last delivery; the others do not.

    Your AWS rights: ssm:GetParametersByPath, ssm:GetParameter and kms:Decrypt.

    \b
    Examples:
      $ backtrace-jira webhook status
      $ backtrace-jira webhook status --stage prod --json

    \b
    Exit codes:
      0  all is well
      1  something is not as it should be, or could not be looked at
      2  wrong usage
    """
    with _ending(as_json) as console:
        _open(console, url, stage, prefix, region, profile, endpoint_url).status(connection)


@webhook.command()
def remove(
    connection: ConnectionName = None,
    url: Url = None,
    forget_secret: Annotated[
        bool, typer.Option("--forget-secret", help="Delete the secret in Parameter Store, too.")
    ] = False,
    stage: Stage = None,
    prefix: Prefix = None,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
    as_json: AsJson = False,
) -> None:
    """Remove our webhook from Jira.

    Only what leads to this deployment is removed. Changes in Jira are noticed
    all the same, by the schedule, and later.

    \b
    Examples:
      $ backtrace-jira webhook remove --connection main
      For good:
        $ backtrace-jira webhook remove --connection main --forget-secret

    \b
    Exit codes:
      0  removed, or there was none
      1  something failed, or is to be done by hand
      2  wrong usage
    """
    with _ending(as_json) as console:
        webhooks = _open(console, url, stage, prefix, region, profile, endpoint_url)
        webhooks.remove(connection, forget_secret=forget_secret)


@contextmanager
def _ending(as_json: bool) -> Iterator[Console]:
    # Imported here, so that --help does not wait for boto3 and pydantic.
    from backtrace_jira_cli.console import Console

    console = Console(machine=as_json)
    with console.ending():
        yield console


def _open(
    console: Console,
    url: str | None,
    stage: str | None,
    prefix: str | None,
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
) -> Webhooks:
    from backtrace_jira_cli.deployment.deployment import (
        deployed,
        local_or_encrypted,
        own_address,
        parameter_names,
    )
    from backtrace_jira_cli.deployment.parameter_store import open_store
    from backtrace_jira_cli.webhook.run import Webhooks

    names = parameter_names(stage, prefix)
    address = own_address(url)
    store = open_store(region=region, profile=profile, endpoint_url=local_or_encrypted(endpoint_url))
    console.report |= {"prefix": names.prefix, "region": store.region}
    stored = store.read(names.prefix)
    return Webhooks(
        store, stored, names, console, address or deployed(stored, names, "webhook_url").rstrip("/")
    )
