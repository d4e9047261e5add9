"""What a scenario measured, beside what it should be."""

from __future__ import annotations

from dataclasses import dataclass

from local.storm.timeline import Timeline


@dataclass(frozen=True)
class Figure:
    """One number. Its goal, if it has one, is that it is at least or at most so much."""

    what: str
    measured: float
    most: float | None = None
    least: float | None = None
    unit: str = ""

    @property
    def missed(self) -> bool:
        """Whether the goal is not reached."""
        too_much = self.most is not None and self.measured > self.most
        too_little = self.least is not None and self.measured < self.least
        return too_much or too_little

    @property
    def goal(self) -> str:
        """The goal in words; empty if there is none."""
        if self.most is not None and self.most == self.least:
            return spoken(self.most, self.unit)
        if self.most is not None:
            return f"≤ {spoken(self.most, self.unit)}" if self.most else "none"
        return f"≥ {spoken(self.least, self.unit)}" if self.least is not None else ""


@dataclass(frozen=True)
class Report:
    """A scenario that was run. `before` is how the same ended before there was a pace."""

    name: str
    title: str
    before: str
    figures: tuple[Figure, ...]
    timeline: Timeline
    shown_from: float = 0.0
    """Seconds from the beginning: what the picture shows begins here."""

    @property
    def missed(self) -> bool:
        """Whether a goal is not reached."""
        return any(figure.missed for figure in self.figures)

    def measured(self, what: str) -> float:
        """Return a figure by its name."""
        (found,) = (figure.measured for figure in self.figures if figure.what == what)
        return found


def spoken(number: float, unit: str = "") -> str:
    """Return a number as a person reads it."""
    text = f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:,.1f}"
    return f"{text.replace(',', ' ')} {unit}".strip()
