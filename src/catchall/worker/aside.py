"""Long work that nobody waits for, in a process of its own: its memory goes with it, and no queue stands behind it."""

import os
import signal
import sys
import time
from collections.abc import Callable

import structlog
from setproctitle import setproctitle

log = structlog.get_logger(__name__)


class Aside:
    """One piece of work, never twice at once. `work` opens what it needs itself: nothing of the parent's is to be used.

    `seconds_max`: after so long it is ended. `pause_seconds`: after a failure it is not begun again so soon. To be
    called from one thread of a process that has no others, and no connection of SQLite open.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], None],
        *,
        seconds_max: float,
        pause_seconds: float = 0.0,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._work = work
        self._seconds_max = seconds_max
        self._pause_seconds = pause_seconds
        self._not_before = float("-inf")
        self._elapsed = elapsed
        self._pid = 0
        self._began = 0.0

    def start(self) -> None:
        """Begin, unless it runs already or failed a moment ago."""
        if self.runs() or self._elapsed() < self._not_before:
            return
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os._exit(self._run())
        self._pid = pid
        self._began = self._elapsed()

    def runs(self) -> bool:
        """Is it under way? One that takes too long is ended here."""
        if not self._pid:
            return False
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            self._pid = 0
            if status:
                self._not_before = self._elapsed() + self._pause_seconds
                log.error("work aside failed", work=self.name, exit_code=os.waitstatus_to_exitcode(status))
            return False
        if self._elapsed() - self._began > self._seconds_max:
            log.error("work aside takes too long, ending it", work=self.name, seconds=self._seconds_max)
            self.end()
            self._not_before = self._elapsed() + self._pause_seconds
            return False
        return True

    def end(self) -> None:
        """End it now, if it runs."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0

    def _run(self) -> int:
        """The life of the process, from its fork to its exit code. Never returns into the parent's code."""
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            setproctitle(f"catchall: {self.name}")
            self._work()
        except BaseException:  # the edge of the process
            log.exception("work aside failed", work=self.name)
            return 1
        return 0
