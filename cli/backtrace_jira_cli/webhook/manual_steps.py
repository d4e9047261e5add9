"""The steps for an operator whose account, or whose address of Jira, may not register webhooks."""

from __future__ import annotations

from dataclasses import dataclass

from backtrace_jira_cli.webhook.registration import EVENTS

PLACEHOLDER = "<secret>"


@dataclass(frozen=True, slots=True)
class ManualSteps:
    """A registration that a person types into Jira. `address` is ours, without a secret; `site` has Jira's pages."""

    site: str
    cloud: bool
    signs: bool
    name: str
    address: str
    jql: str
    aws_options: str
    """Options of the AWS CLI that name the parameter with the secret."""
    has_former_secret: bool = False
    """Whether the parameter holds a former secret as well."""

    def steps(self) -> list[str]:
        """Return the steps; the secret is in none of them."""
        where = "Settings (the cog)" if self.cloud else "Administration (the cog)"
        return [
            f"Open {self.site} as a Jira administrator: {where} > System > WebHooks.",
            f"Create a WebHook, or edit the one of this name. Name: {self.name}",
            f"URL: {self.address if self.signs else f'{self.address}/{PLACEHOLDER}'}",
            self._secret(),
            f"Issue related events, JQL: {self.jql}",
            f"Events: {_and([f'{_checkbox(event)} ({event})' for event in EVENTS])}; no others.",
            "Exclude body: off. Status: enabled. Save.",
        ]

    def _secret(self) -> str:
        goes = "Secret: paste it" if self.signs else f"Put the secret in place of {PLACEHOLDER}"
        which = "its first line" if self.has_former_secret else "it"
        return (
            f"{goes}; to read {which}: aws ssm get-parameter --with-decryption {self.aws_options} "
            "--query Parameter.Value --output text"
        )


def _checkbox(event: str) -> str:
    """Return the name of an event on Jira's page: jira:version_released is Version: released."""
    kind, _, what = event.removeprefix("jira:").partition("_")
    return f"{kind.capitalize()}: {what}"


def _and(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
