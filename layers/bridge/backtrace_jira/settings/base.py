"""What all settings have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Settings(BaseModel):
    """Base of all settings: frozen, nothing unknown, no input value in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]


def faults_of(error: ValidationError) -> str:
    """Say what pydantic found, by field name and without any input value."""
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'body'}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_url=False, include_input=False)[:5]
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """How often events of one group become due for a ticket; see `config.Integration` for the two numbers."""

    frequency: int = 0
    threshold: int = 0

    @property
    def always(self) -> bool:
        """Tell whether every event is due, so that nothing need be counted."""
        return self.threshold == 1 or not (self.frequency or self.threshold)
