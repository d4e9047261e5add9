"""`make storm`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from local import ROOT
from local.storm.figures import Report, spoken
from local.storm.picture import draw
from local.storm.scenarios import SCENARIOS
from local.storm.wire import OnTheWire

PICTURE = ROOT / "docs/storm.svg"
SHOWN = ("storm", "jira-away")
"""The scenarios of the picture."""
WIDTH_WHEN_PIPED = 140
ALL = (*SCENARIOS, OnTheWire("wire", events=400, groups=80, rate=10))
"""In virtual time, but for the last one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 if every goal is reached, 1 if one is missed."""
    options = _parser().parse_args(arguments)
    chosen = [each for each in ALL if not options.scenario or each.name in options.scenario]
    console = Console(width=None if sys.stdout.isatty() else WIDTH_WHEN_PIPED, highlight=False)
    reports = []
    for each in chosen:
        with Console(stderr=True).status(each.name) as status:
            began = time.monotonic()
            report = each.run(_teller(each.name, status.update))
        reports.append(report)
        if not options.json:
            console.print(_table(report, time.monotonic() - began))
    if options.json:
        print(json.dumps([_plain(report) for report in reports], indent=2))
    shown = [report for report in reports if report.name in SHOWN]
    if options.picture and len(shown) == len(SHOWN):
        PICTURE.write_text(draw(shown), encoding="utf-8")
    missed = sum(figure.missed for report in reports for figure in report.figures)
    if not options.json:
        console.print(f"{missed} goals MISSED" if missed else "every goal is reached")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.storm",
        description="Run storms and outages in virtual time, and a storm on the wire. Exit code 1: a goal is missed.",
    )
    parser.add_argument("scenario", nargs="*", help=", ".join(each.name for each in ALL))
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    parser.add_argument("--picture", action="store_true", help=f"draw {PICTURE.relative_to(ROOT)} anew")
    return parser


def _teller(name: str, tell: Callable[[str], None]) -> Callable[[float], None]:
    return lambda seconds: tell(f"{name}: {_clock(seconds)}")


def _clock(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def _table(report: Report, took: float) -> Table:
    table = Table(
        title=report.title, title_justify="left", caption=f"before: {report.before}", caption_justify="left"
    )
    table.add_column("what", min_width=34)
    for column in ("measured", "goal"):
        table.add_column(column, justify="right", min_width=12)
    table.add_column("")
    for figure in report.figures:
        missed = "[bold red]MISSED[/]" if figure.missed else ""
        table.add_row(figure.what, spoken(figure.measured, figure.unit), figure.goal, missed)
    table.add_section()
    table.add_row("run in (real time)", spoken(took, "s"))
    return table


def _plain(report: Report) -> dict[str, object]:
    return {
        "scenario": report.name,
        "title": report.title,
        "before": report.before,
        "figures": [
            {
                "what": figure.what,
                "measured": round(figure.measured, 3),
                "least": figure.least,
                "most": figure.most,
                "unit": figure.unit,
                "missed": figure.missed,
            }
            for figure in report.figures
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
