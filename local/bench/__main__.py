"""`make bench`."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from local import CACHE, ROOT
from local.aws.built import Built, build_once
from local.bench.measured_function import MeasuredFunction
from local.bench.measures import Bench
from local.stack import LocalStack
from local.storm.figures import Figure, spoken


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 if every goal is reached, 1 if one is missed."""
    options = _parser().parse_args(arguments)
    progress, figures = Console(stderr=True), list[Figure]()
    with progress.status("building what is deployed") as status:
        built = _built()
        status.update("starting the stack")
        with LocalStack(
            function=lambda settings: MeasuredFunction(settings, built), log=CACHE / "bench.log"
        ) as stack:
            for figure in Bench(stack).figures():
                figures.append(figure)
                status.update(f"measured: {figure.what}")
            store = stack.store
    missed = sum(figure.missed for figure in figures)
    if options.json:
        print(json.dumps([_plain(figure) for figure in figures], indent=2))
    else:
        console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
        console.print(_table(figures))
        console.print(
            f"Built artifacts on Python {built.version}; {store}. CPU is that of the function's process."
        )
        console.print(f"{missed} goals MISSED" if missed else "every goal is reached")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.bench",
        description="Measure what is deployed. Exit code 1: a goal is missed.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    return parser


def _built() -> Built:
    """Build for this machine what is deployed, unless it was built before from the same sources."""
    digest = hashlib.sha256()
    for folder in ("functions", "layers"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path).encode() + path.read_bytes())
    digest.update((ROOT / "template.yaml").read_bytes())
    CACHE.mkdir(exist_ok=True)
    return build_once(CACHE / f"bench-{digest.hexdigest()[:12]}")


def _table(figures: Sequence[Figure]) -> Table:
    table = Table(title="backtrace-jira: what an event costs")
    for column in ("what", "measured", "goal", ""):
        table.add_column(column, justify="right" if column in ("measured", "goal") else "left")
    for figure in figures:
        missed = "[bold red]MISSED[/]" if figure.missed else ""
        table.add_row(figure.what, spoken(figure.measured, figure.unit), figure.goal, missed)
    return table


def _plain(figure: Figure) -> dict[str, object]:
    return {
        "what": figure.what,
        "measured": round(figure.measured, 3),
        "goal": figure.goal,
        "unit": figure.unit,
        "missed": figure.missed,
    }


if __name__ == "__main__":
    sys.exit(main())
