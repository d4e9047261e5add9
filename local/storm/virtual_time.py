"""Time that passes as soon as everybody waits: threads of which one runs at a time, always in the same order.

A thread runs until it sleeps, waits for another or ends. Then the clock jumps to whatever comes next. So two days
take minutes, nothing depends on this machine, and what threads do to each other shows all the same.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Sequence

Job = Callable[[], None]


class _Thread:
    """A thread and its baton: whoever lets it go on, releases it."""

    def __init__(self) -> None:
        self.baton = threading.Lock()
        self.baton.acquire()
        self.job: Job | None = None
        self.owed = 0.0
        self.real: threading.Thread | None = None


class VirtualTime:
    """The clock, in unix seconds, and the threads that live by it. It is used by the thread that made it."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._order = itertools.count()
        self._next: list[tuple[float, int, _Thread | Job]] = []
        self._current = _Thread()
        self._idle: list[_Thread] = []

    def __call__(self) -> float:
        """Return the time."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let the thread wait."""
        me = self._current
        self._push(self._now + seconds + me.owed, me)
        me.owed = 0.0
        self._go_on(me)

    def owe(self, seconds: float) -> None:
        """Make the thread's next sleep longer. For what lasts while a lock is held: nobody else could go on then."""
        self._current.owed += seconds

    def at(self, when: float, job: Job) -> None:
        """Run something short, which waits for nothing, at a time."""
        self._push(when, job)

    def wait(self) -> None:
        """Let the thread wait until somebody else wakes it, with what `waker` returned."""
        self._go_on(self._current)

    def waker(self) -> Job:
        """Return what wakes the current thread once it waits."""
        me = self._current
        return lambda: self._push(self._now, me)

    def side_by_side(self, jobs: Sequence[Job]) -> None:
        """Run each job in a thread of its own, and return when all are done; one alone runs in this thread.

        Raises:
            BaseException: what the first of them raised.
        """
        if len(jobs) == 1:
            jobs[0]()
            return
        left, errors, wake = len(jobs), list[BaseException](), self.waker()

        def run(job: Job) -> None:
            nonlocal left
            try:
                job()
            except BaseException as error:
                errors.append(error)
            left -= 1
            if not left:
                wake()

        for job in jobs:
            self._start(lambda job=job: run(job))  # type: ignore[misc]
        self.wait()
        if errors:
            raise errors[0]

    def close(self) -> None:
        """End the threads that have nothing to do any more."""
        for thread in self._idle:
            thread.job = None
            thread.baton.release()
            if thread.real:
                thread.real.join()
        self._idle.clear()

    # Who goes on

    def _push(self, when: float, what: _Thread | Job) -> None:
        heapq.heappush(self._next, (max(when, self._now), next(self._order), what))

    def _start(self, job: Job) -> None:
        thread = self._idle.pop() if self._idle else self._new_thread()
        thread.job = job
        self._push(self._now, thread)

    def _new_thread(self) -> _Thread:
        thread = _Thread()
        thread.real = threading.Thread(target=self._live, args=(thread,), daemon=True)
        thread.real.start()
        return thread

    def _live(self, me: _Thread) -> None:
        me.baton.acquire()
        while me.job:
            me.job()
            self._idle.append(me)
            self._go_on(me)

    def _go_on(self, me: _Thread) -> None:
        """Let the next one go on, and return when it is this thread's turn again."""
        while True:
            self._now, _, what = heapq.heappop(self._next)
            if isinstance(what, _Thread):
                break
            what()
        if what is not me:
            self._current = what
            what.baton.release()
            me.baton.acquire()
