"""What Fix Versions leave in Backtrace when an integration stops using them: reopen criteria of ours in its groups.

The operator says whether they stay. Either way is done group by group before the settings are written, and what is done
is recorded in the group's link: a run that is cut off is repeated, and goes on with the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backtrace_jira.links.link import Link
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira_cli.configure.configure_run import Preparation
from backtrace_jira_cli.configure.criteria_removal import CriteriaRemoval
from backtrace_jira_cli.configure.leftover import Leftover
from backtrace_jira_cli.configure.plan import Effect
from backtrace_jira_cli.console import Console, count_of
from backtrace_jira_cli.deployment.link_table import LinkTable
from backtrace_jira_cli.deployment.stored_settings import StoredSettings, valid_integrations
from backtrace_jira_cli.exits import wrong_usage

NOT_YET = (
    "Functions keep their settings for some minutes, and write criteria anew meanwhile; those of an integration that "
    "is deleted, nobody removes. So first write {} with fix_versions.enabled: false and --reopen-criteria remove, and "
    "delete it ten minutes later. Or say --reopen-criteria keep."
)
TO_CHOOSE = "--reopen-criteria keep or remove says what becomes of them."
QUESTION = "Shall they stay in Backtrace, where nobody looks after them any more, or be removed?"


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """An integration that stops using Fix Versions, as it is stored, with the links whose groups have criteria."""

    integration: Integration
    is_deleted: bool
    links: Sequence[Link]


class LeftCriteria:
    """Finds what would be left, asks what becomes of it, and does that."""

    def __init__(
        self,
        names: ParameterNames,
        console: Console,
        open_table: Callable[[], LinkTable | None],
        read_settings: Callable[[Preparation], StoredSettings],
        leftover: Leftover | None,
    ) -> None:
        """Take the operator's answer, None if no option gave it, and functions that are called only if it matters."""
        self._names = names
        self._console = console
        self._open_table = open_table
        self._read_settings = read_settings
        self._leftover = leftover
        self._found: list[SwitchedOff] = []
        self._rows: list[dict[str, Any]] = []
        self._table: LinkTable | None = None

    def find(self, preparation: Preparation) -> None:
        """Look for links with criteria, and say in how many groups they stand."""
        self._console.report["reopen_criteria"] = self._rows
        switched_off = _switched_off(preparation, self._names)
        self._table = self._open_table() if switched_off else None
        if self._table is None:
            return  # nothing is deployed, so there are no links
        for integration, is_deleted in switched_off:
            with self._console.show_rows_read() as progress:
                links = self._table.find_with_criteria(integration.id, progress)
            if not links:
                continue
            self._found.append(SwitchedOff(integration, is_deleted, links))
            self._rows.append({"integration": integration.id, "groups": len(links), "outcome": None})
            why = "is deleted" if is_deleted else "no longer uses Fix Versions"
            where, choose = count_of(len(links), "group"), "" if self._leftover else f" {TO_CHOOSE}"
            self._console.warn(
                f"{integration.id} {why}. Reopen criteria of ours stand in Backtrace in {where}.{choose}"
            )

    def ask(self) -> None:
        """Ask what becomes of them, unless an option said so.

        Raises:
            Stop: nobody is there to answer.
        """
        if not self._found:
            return
        if self._leftover is None:
            self._ask_at_terminal()
        deleted = [off.integration.id for off in self._found if off.is_deleted]
        if deleted and self._leftover is Leftover.REMOVE:
            raise wrong_usage(f"Nothing was written. {NOT_YET.format(', '.join(deleted))}")

    def _ask_at_terminal(self) -> None:
        if not self._console.can_ask:
            raise wrong_usage(
                "Nothing was written: say what becomes of our reopen criteria in Backtrace, with "
                "--reopen-criteria keep or --reopen-criteria remove."
            )
        self._leftover = Leftover(self._console.choose(QUESTION, [each.value for each in Leftover]))

    def carry_out(self, preparation: Preparation) -> None:
        """Do what was asked for.

        Raises:
            Stop: it did not succeed for every group.
        """
        removes = self._leftover is Leftover.REMOVE
        for off, row in zip(self._found, self._rows, strict=True):
            if self._table and (removes or not off.is_deleted):  # nobody looks at the links of a deleted one
                removal = CriteriaRemoval(off.integration, self._table, self._console)
                settings = self._read_settings(preparation) if removes else None
                removal.run(off.links, settings)
            row["outcome"] = "removed" if removes else "kept"
            self._console.say(
                f"{off.integration.id}: reopen criteria {row['outcome']} in {count_of(len(off.links), 'group')}.",
                "green",
            )


def _switched_off(preparation: Preparation, names: ParameterNames) -> list[tuple[Integration, bool]]:
    """Return the integrations that use Fix Versions as stored and will not, and whether they are deleted."""
    after: Mapping[str, Integration] = {each.id: each for each in preparation.settings.integrations}
    deleted = {change.parameter for change in preparation.changes if change.effect is Effect.DELETED}
    found = []
    for id_, stored in valid_integrations(preparation.stored, names).items():
        is_deleted = names.integration(stored) in deleted
        is_off = id_ in after and not after[id_].fix_versions.enabled
        if stored.fix_versions.enabled and (is_deleted or is_off):
            found.append((stored, is_deleted))
    return found
