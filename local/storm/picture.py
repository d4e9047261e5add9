"""The picture of storms: tickets, waiting messages and calls over time, as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from local.storm.figures import Report, spoken

WIDTH, HEIGHT = 420, 130
"""Of one chart."""
LEFT, TOP, GAP_X, GAP_Y = 64, 64, 96, 64
POINTS = 210
"""So many of a line are drawn at most."""
TICKETS, WAITING, SERVED, REFUSED, UNANSWERED = "#1f6feb", "#8250df", "#1a7f37", "#cf222e", "#9a6700"
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#57606a}.title{font-weight:600;font-size:13px;fill:#24292f}"
    ".axis{stroke:#d0d7de}.line{fill:none;stroke-width:1.6}"
)


@dataclass(frozen=True)
class _Line:
    """A line of a chart: a value for each step of the timeline."""

    name: str
    colour: str
    values: Sequence[float]


@dataclass(frozen=True)
class _Chart:
    name: str
    lines: Sequence[_Line]
    step: float

    def draw(self, x: float, y: float) -> Iterator[str]:
        """Yield the elements of the chart with its upper left corner at a place."""
        top = max((max(line.values, default=0) for line in self.lines), default=0) or 1
        steps = max((len(line.values) for line in self.lines), default=1)
        yield f'<path class="axis" fill="none" d="M{x} {y}V{y + HEIGHT}H{x + WIDTH}"/>'
        yield _text(x - 6, y + 10, spoken(top), "end")
        yield _text(x - 6, y + HEIGHT, "0", "end")
        yield _text(x + WIDTH, y + HEIGHT + 16, _span(steps * self.step), "end")
        yield _text(x, y - 8, self.name)
        right = x + WIDTH
        for line in reversed([line for line in self.lines if any(line.values)]):
            if len(self.lines) > 1:
                yield f'<text x="{right}" y="{y - 8}" text-anchor="end" style="fill:{line.colour}">{line.name}</text>'
                right -= 7 * len(line.name) + 12
            yield f'<polyline class="line" stroke="{line.colour}" points="{_points(line, x, y, top, steps)}"/>'


def draw(reports: Sequence[Report]) -> str:
    """Return the picture, a column for each scenario."""
    width = LEFT + len(reports) * (WIDTH + GAP_X)
    height = TOP + 3 * (HEIGHT + GAP_Y)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f'<style>{STYLE}</style><rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for column, report in enumerate(reports):
        x = LEFT + column * (WIDTH + GAP_X)
        parts.append(_text(x, 24, report.title, kind="title"))
        for row, chart in enumerate(_charts(report)):
            parts += chart.draw(x, TOP + row * (HEIGHT + GAP_Y))
    return "\n".join([*parts, "</svg>", ""])


def _charts(report: Report) -> list[_Chart]:
    timeline = report.timeline
    first = int(report.shown_from // timeline.step)
    calls = [
        _Line(name, colour, [count / timeline.step for count in timeline.each(f"main {name}")[first:]])
        for name, colour in (("served", SERVED), ("refused", REFUSED), ("unanswered", UNANSWERED))
    ]
    made, waiting = (list(timeline.running(*names))[first:] for names in (("main made",), ("came", "gone")))
    return [
        _Chart("tickets made", [_Line("made", TICKETS, made)], timeline.step),
        _Chart("messages in the queue", [_Line("waiting", WAITING, waiting)], timeline.step),
        _Chart("calls to Jira a second", calls, timeline.step),
    ]


def _points(line: _Line, x: float, y: float, top: float, steps: int) -> str:
    every = max(1, -(-len(line.values) // POINTS))
    # The highest of the values that share a point: no short peak must get lost.
    shown = [(step, max(line.values[step : step + every])) for step in range(0, len(line.values), every)]
    return " ".join(
        f"{x + WIDTH * step / steps:.1f},{y + HEIGHT * (1 - value / top):.1f}" for step, value in shown
    )


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{named}>{escape(text)}</text>'


def _span(seconds: float) -> str:
    return f"{seconds / 3600:.0f} h" if seconds > 7200 else f"{seconds:.0f} s"
