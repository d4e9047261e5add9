"""A Jira server as `check` and the webhook commands reach it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backtrace_jira.adapters.http import Timeouts

TIMEOUTS = Timeouts(connect=5, read=15, total=20)


@dataclass(frozen=True, slots=True)
class Server:
    """A Jira server, as it describes itself. Very old ones do not name their deployment type; they are not Cloud."""

    cloud: bool
    version: str = ""
    numbers: tuple[int, ...] = ()

    @classmethod
    def from_info(cls, info: dict[str, Any]) -> Server | None:
        """Read the answer to GET /serverInfo. None: it is no Jira's answer."""
        if not {"version", "versionNumbers", "deploymentType"} & info.keys():
            return None
        numbers = info.get("versionNumbers")
        return cls(
            info.get("deploymentType") == "Cloud",
            str(info.get("version", "")),
            tuple(part for part in numbers if isinstance(part, int)) if isinstance(numbers, list) else (),
        )

    def __str__(self) -> str:
        return "Jira Cloud" if self.cloud else f"Jira Data Center or Server {self.version}".rstrip()
