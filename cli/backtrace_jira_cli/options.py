"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

WHERE = "Which deployment"

Stage = Annotated[
    str | None,
    typer.Option(help="Stage, as deployed: dev, prod, …", show_default="dev", rich_help_panel=WHERE),
]
Prefix = Annotated[
    str | None,
    typer.Option(
        help="Path in Parameter Store, instead of the stage's own.",
        show_default=False,
        rich_help_panel=WHERE,
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
        help="AWS region. Without it, the profile's.",
        show_default=False,
        rich_help_panel=WHERE,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(envvar="AWS_PROFILE", help="AWS profile to use.", show_default=False, rich_help_panel=WHERE),
]
EndpointUrl = Annotated[
    str | None,
    typer.Option(
        help="Address of another AWS, e.g. of an emulated one on this machine.",
        show_default=False,
        rich_help_panel=WHERE,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
