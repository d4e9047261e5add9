"""The options that every command has, declared once: which deployment, and what is printed.

A command is a function `command(console, deployment, …)` with only its own options after these two. `operator_command`
adds the shared options for typer. This module and the command modules do without `from __future__ import annotations`,
because typer needs the options themselves and not their names.
"""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeAlias

import typer

if TYPE_CHECKING:
    from backtrace_jira_cli.console import Console
    from backtrace_jira_cli.deployment.deployment import Deployment

P = ParamSpec("P")

WHICH_DEPLOYMENT = "Which deployment"

Stage: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Stage, as deployed: dev, prod, … It names the path /backtrace-jira/STAGE in Parameter Store.",
        show_default="dev",
        rich_help_panel=WHICH_DEPLOYMENT,
    ),
]
Prefix: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Another path in Parameter Store, instead of the stage's.",
        show_default=False,
        rich_help_panel=WHICH_DEPLOYMENT,
    ),
]
Region: TypeAlias = Annotated[
    str | None,
    typer.Option(
        envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
        help="AWS region. Without it, the profile's.",
        show_default=False,
        rich_help_panel=WHICH_DEPLOYMENT,
    ),
]
Profile: TypeAlias = Annotated[
    str | None,
    typer.Option(
        envvar="AWS_PROFILE",
        help="AWS profile to use.",
        show_default=False,
        rich_help_panel=WHICH_DEPLOYMENT,
    ),
]
EndpointUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Address of another AWS, for example an emulated one on this machine.",
        show_default=False,
        rich_help_panel=WHICH_DEPLOYMENT,
    ),
]
AsJson: TypeAlias = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object for machines. The command then asks no questions."),
]

# Options that several commands have, and not all.
OnlyIntegration: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--integration",
        help="Only this integration: universe/project/name, or its name.",
        show_default=False,
    ),
]
Yes: TypeAlias = Annotated[
    bool,
    typer.Option("--yes", "-y", help="Do it without asking. Needed where there is no terminal."),
]
GroupFingerprint = typer.Argument(
    metavar="FINGERPRINT",
    help="Fingerprint of the error group, or its first characters (at least 6).",
    show_default=False,
)


def operator_command(
    command: "Callable[Concatenate[Console, Deployment, P], None]",
) -> Callable[..., None]:
    """Return a command for typer: with its own options, and then those that all commands share."""

    def run(
        *,
        stage: Stage = None,
        prefix: Prefix = None,
        region: Region = None,
        profile: Profile = None,
        endpoint_url: EndpointUrl = None,
        as_json: AsJson = False,
        **own_options: Any,
    ) -> None:
        # Imported here, so that --help does not wait for boto3 and pydantic.
        from backtrace_jira_cli.console import Console
        from backtrace_jira_cli.deployment.deployment import Deployment

        console = Console(machine=as_json)
        with console.exit_code():
            deployment = Deployment(stage, prefix, region=region, profile=profile, endpoint_url=endpoint_url)
            command(console, deployment, **own_options)  # type: ignore[call-arg]

    own = list(inspect.signature(command).parameters.values())[2:]
    shared = [each for each in inspect.signature(run).parameters.values() if each.name != "own_options"]
    run.__name__, run.__doc__, run.__module__ = command.__name__, command.__doc__, command.__module__
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [*(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own), *shared]
    )
    run.__annotations__ = {each.name: each.annotation for each in (*own, *shared)}
    return run
