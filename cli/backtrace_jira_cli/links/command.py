"""`backtrace-jira links`: which error group has which ticket, and links made and cut by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from backtrace_jira_cli.options import AsJson, EndpointUrl, Prefix, Profile, Region, Stage

if TYPE_CHECKING:
    from backtrace_jira.settings.integration import Integration
    from backtrace_jira.settings.parameter_names import ParameterNames
    from backtrace_jira_cli.console import Console
    from backtrace_jira_cli.deployment.link_table import LinkTable
    from backtrace_jira_cli.deployment.stored_settings import StoredSettings

links = typer.Typer(
    no_args_is_help=True, help="See which error group has which ticket; link and unlink by hand."
)

Only = Annotated[
    str | None,
    typer.Option(
        "--integration", help="Only this one: universe/project/name, or its name.", show_default=False
    ),
]


@links.command("list")
def list_links(
    integration: Only = None,
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, max=10_000, help="How many at the most.")
    ] = 50,
    stage: Stage = None,
    prefix: Prefix = None,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
    as_json: AsJson = False,
) -> None:
    """List error groups that have a ticket or may be getting one, the last decision first.

    Your AWS rights: ssm:GetParametersByPath, and dynamodb:Query on the link
    table and its indexes.

    \b
    Examples:
      $ backtrace-jira links list
      $ backtrace-jira links list --integration jira-bugs --count 200 --json

    \b
    Exit codes:
      0  listed
      1  AWS refused
      2  wrong usage
    """
    import time

    with _ending(as_json) as console:
        from backtrace_jira_cli.links.overview import Links

        opened = _open(stage, prefix, region, profile, endpoint_url)
        Links(opened.integrations, opened.table, console, time.time()).list(count, integration)


@links.command()
def show(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FINGERPRINT|ISSUE-KEY",
            help="Fingerprint of an error group, or how it begins; or the key of a ticket.",
            show_default=False,
        ),
    ],
    integration: Only = None,
    stage: Stage = None,
    prefix: Prefix = None,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of a link: ticket, state, last decision, and what was last synchronised.

    By a ticket's key, every group that it is linked to. Your AWS rights:
    ssm:GetParametersByPath, and dynamodb:Query on the link table and its
    indexes.

    \b
    Examples:
      $ backtrace-jira links show 8910551e27a3
      $ backtrace-jira links show BUG-42 --stage prod

    \b
    Exit codes:
      0  shown
      1  there is no such link, or AWS refused
      2  wrong usage
    """
    import time

    with _ending(as_json) as console:
        from backtrace_jira_cli.links.overview import Links

        opened = _open(stage, prefix, region, profile, endpoint_url)
        Links(opened.integrations, opened.table, console, time.time()).show(what.strip(), integration)


@links.command()
def add(
    issue_key: Annotated[
        str, typer.Argument(metavar="ISSUE-KEY", help="Key of an existing ticket.", show_default=False)
    ],
    fingerprints: Annotated[
        list[str],
        typer.Argument(metavar="FINGERPRINT...", help="Error groups, in full.", show_default=False),
    ],
    integration: Annotated[
        str | None,
        typer.Option(
            help="universe/project/name, or its name. Needed where there are several.", show_default=False
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Link groups anew that have another ticket.")
    ] = False,
    stage: Stage = None,
    prefix: Prefix = None,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
    as_json: AsJson = False,
) -> None:
    """Link an existing ticket to error groups, here and in Backtrace.

    Several groups may have one ticket. A group has one ticket for each
    integration: with --replace the other one is unlinked first. While a ticket
    is being made for a group, it is left alone.

    Your AWS rights: ssm:GetParametersByPath, ssm:GetParameter, kms:Decrypt, and
    dynamodb:UpdateItem, GetItem and DeleteItem on the link table.

    \b
    Examples:
      $ backtrace-jira links add BUG-42 8910551e27a339e5
      Two groups, one of which has another ticket:
        $ backtrace-jira links add BUG-42 8910551e27a339e5 77aa01be2390c0ff \\
            --integration jira-bugs --replace

    \b
    Exit codes:
      0  all are linked
      1  some are not, and why
      2  wrong usage
    """
    with _ending(as_json) as console:
        from backtrace_jira_cli.links.arguments import full_fingerprints, issue_key_of
        from backtrace_jira_cli.links.link_changes import LinkChanges

        key, groups = issue_key_of(issue_key), full_fingerprints(fingerprints)
        opened = _open(stage, prefix, region, profile, endpoint_url)
        settings = opened.find_integration(integration)
        linking = LinkChanges(settings, opened.stored_settings, opened.table, console, stage=opened.stage)
        linking.add(key, groups, replace=replace)


@links.command()
def remove(
    fingerprint: Annotated[
        str,
        typer.Argument(
            help="Fingerprint of the error group, or how it begins (at least 6 characters).",
            show_default=False,
        ),
    ],
    integration: Only = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask. Needed where there is no terminal.")
    ] = False,
    stage: Stage = None,
    prefix: Prefix = None,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
    as_json: AsJson = False,
) -> None:
    """Unlink an error group from its ticket, here and in Backtrace.

    The ticket itself stays as it is. The group's next error makes a new ticket.

    Your AWS rights: as for `links add`, and dynamodb:Query.

    \b
    Examples:
      $ backtrace-jira links remove 8910551e27a3
      In a script:
        $ backtrace-jira links remove 8910551e27a339e5 --yes

    \b
    Exit codes:
      0  unlinked
      1  there is no such link, or it could not be cut
      2  wrong usage, or no was answered
    """
    import time

    with _ending(as_json) as console:
        from backtrace_jira_cli.links.arguments import one_group
        from backtrace_jira_cli.links.link_changes import LinkChanges
        from backtrace_jira_cli.links.overview import Links

        opened = _open(stage, prefix, region, profile, endpoint_url)
        reading = Links(opened.integrations, opened.table, console, time.time())
        found = one_group(fingerprint.strip(), reading.found(fingerprint.strip(), integration))
        settings = opened.integrations[found[0].key.integration]
        _ensure_wanted(
            console, [link.issue.key for link in found if link.issue], found[0].key.fingerprint, yes
        )
        LinkChanges(settings, opened.stored_settings, opened.table, console, stage=opened.stage).remove(found)


def _ensure_wanted(console: Console, tickets: list[str], fingerprint: str, yes: bool) -> None:
    from backtrace_jira_cli.exits import wrong_usage

    if yes:
        return
    if not console.interactive:
        raise wrong_usage("Nothing was changed: this is no terminal to ask at; add --yes.")
    console.say(f"{fingerprint} is linked to {', '.join(tickets)}. Its next error will make a new ticket.")
    if not console.confirm("Unlink it?"):
        raise wrong_usage("Nothing was changed.")


@contextmanager
def _ending(as_json: bool) -> Iterator[Console]:
    # Imported here, so that --help does not wait for boto3 and pydantic.
    from backtrace_jira_cli.console import Console

    console = Console(machine=as_json)
    with console.ending():
        yield console


@dataclass(frozen=True, slots=True)
class _Opened:
    names: ParameterNames
    integrations: dict[str, Integration]
    stored_settings: StoredSettings
    table: LinkTable

    @property
    def stage(self) -> str:
        return self.names.prefix.rpartition("/")[2]

    def find_integration(self, name: str | None) -> Integration:
        from backtrace_jira_cli.deployment.stored_settings import named_integrations
        from backtrace_jira_cli.exits import wrong_usage

        ids = named_integrations(name, self.integrations)
        if len(ids) != 1:
            raise wrong_usage(f"Say which with --integration: {', '.join(ids) or 'none is configured'}.")
        return self.integrations[ids[0]]


def _open(
    stage: str | None, prefix: str | None, region: str | None, profile: str | None, endpoint_url: str | None
) -> _Opened:
    from backtrace_jira_cli.deployment.deployment import deployed, local_or_encrypted, parameter_names
    from backtrace_jira_cli.deployment.link_table import open_link_table
    from backtrace_jira_cli.deployment.parameter_store import open_store
    from backtrace_jira_cli.deployment.stored_settings import StoredSettings, integrations_in

    names = parameter_names(stage, prefix)
    endpoint = local_or_encrypted(endpoint_url)
    store = open_store(region=region, profile=profile, endpoint_url=endpoint)
    stored = store.read(names.prefix)
    table = deployed(stored, names, "links_table")
    return _Opened(
        names,
        integrations_in(stored, names),
        StoredSettings(names, stored, store.secret),
        open_link_table(table, region=region, profile=profile, endpoint_url=endpoint),
    )
