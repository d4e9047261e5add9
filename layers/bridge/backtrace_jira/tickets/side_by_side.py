"""Do several things at once: each waits for Jira most of the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def run_side_by_side(jobs: Sequence[Callable[[], None]]) -> None:
    """Run each in a thread of its own, and return when all are done; one alone runs in this thread.

    Raises:
        BaseException: what the first of them raised.
    """
    if len(jobs) == 1:
        jobs[0]()
        return
    # Imported here: most batches make no more than one ticket.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(jobs)) as threads:
        running = [threads.submit(job) for job in jobs]
    for each in running:
        each.result()
