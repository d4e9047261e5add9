"""`backtrace-jira`: the commands put together."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import typer

from backtrace_jira_cli.check.command import check
from backtrace_jira_cli.configure.command import configure
from backtrace_jira_cli.explain.command import explain
from backtrace_jira_cli.links.command import links
from backtrace_jira_cli.webhook.command import webhook

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    # Typer's own tracebacks would show local variables, and those hold secrets.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        version = metadata.version("backtrace-jira")
    except metadata.PackageNotFoundError:
        version = "from source, not installed"
    typer.echo(f"backtrace-jira {version}")
    raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit."),
    ] = False,
) -> None:
    """Operate the Jira integration of Backtrace: settings, checks, and answers to "why no ticket?".

    \b
    Start with:
      $ backtrace-jira configure --help
      $ backtrace-jira check --help

    \b
    Exit codes of every command:
      0  fine
      1  something was refused or failed
      2  wrong usage, or a settings file that is not valid
    """


app.command()(configure)
app.command()(check)
app.command()(explain)
app.add_typer(links, name="links")
app.add_typer(webhook, name="webhook")
