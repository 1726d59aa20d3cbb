"""One process that starts the roles as children, restarts what crashes, and ends them in the right order.

Everything shared is imported before the first fork and frozen out of the garbage collector, so that the children share
those pages. The supervisor itself has no thread, no event loop and no database connection: nothing that a fork breaks.
"""

import gc
import mmap
import os
import signal
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog
from setproctitle import setproctitle

from catchall.core import limits

log = structlog.get_logger(__name__)

Beat = Callable[[], bool]
"""A role calls it at least once a second; it answers False when the role shall finish."""

RunRole = Callable[[Beat], None]
LockHolder = Callable[[], tuple[int, float] | None]

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_SLOT = struct.Struct("<d")


class RoleSpec(msgspec.Struct, frozen=True):
    """A role to run. `stop_order`: the lowest are asked to stop first, the next ones when those are gone."""

    name: str
    run: RunRole
    stop_order: int
    beats: bool = True


class _Child:
    def __init__(self, spec: RoleSpec, slot: int) -> None:
        self.spec = spec
        self.slot = slot
        self.pid = 0
        self.started_at = 0.0
        self.start_at = 0.0
        self.failures = 0
        self.asked_to_stop = False


class Heartbeats:
    """One time (monotonic seconds) for each role, in memory that supervisor and children share."""

    def __init__(self, slots: int) -> None:
        self._memory = mmap.mmap(-1, max(slots, 1) * _SLOT.size)

    def set(self, slot: int, at: float) -> None:
        """Note that the role of a slot was alive at a time."""
        _SLOT.pack_into(self._memory, slot * _SLOT.size, at)

    def get(self, slot: int) -> float:
        """When the role of a slot was last alive."""
        at: float = _SLOT.unpack_from(self._memory, slot * _SLOT.size)[0]
        return at


class Stop:
    """What a role is told by signals: finish. Children install it right after the fork."""

    def __init__(self) -> None:
        self.wanted = False

    def install(self) -> None:
        """Let SIGTERM and SIGINT ask for the end. A terminal's Ctrl-C reaches children too: the supervisor decides."""
        signal.signal(signal.SIGTERM, self._asked)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _asked(self, _number: int, _frame: object) -> None:
        self.wanted = True


class Supervisor:
    """Runs the roles until it is told to stop. `lock_holder` says who holds the commit lock, and since when."""

    def __init__(self, specs: list[RoleSpec], *, lock_holder: LockHolder, status_file: Path) -> None:
        self._children = [_Child(spec, slot) for slot, spec in enumerate(specs)]
        self._beats = Heartbeats(len(specs))
        self._lock_holder = lock_holder
        self._status_file = status_file
        self._status_failed = False
        self._stopping_since = 0.0

    def run(self) -> int:
        """Start everything, watch, and return the exit code once all have ended."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        gc.collect()
        gc.freeze()
        while True:
            now = time.monotonic()
            self._reap(now)
            if self._stopping_since:
                if self._stop_round(now):
                    return 0
            else:
                self._start_due(now)
                self._end_stuck(now)
                if self._status_failed:
                    self._write_status()
            got = signal.sigtimedwait(_SIGNALS, limits.SUPERVISOR_ROUND_SECONDS)
            if got is not None and got.si_signo in (signal.SIGTERM, signal.SIGINT):
                self._asked_to_stop()

    # --- starting and restarting ------------------------------------------------------------------------------
    def _start_due(self, now: float) -> None:
        started = False
        for child in self._children:
            if not child.pid and now >= child.start_at:
                self._fork(child, now)
                started = True
        if started:
            self._write_status()

    def _fork(self, child: _Child, now: float) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._beats.set(child.slot, now)
        supervisor = os.getpid()
        pid = os.fork()
        if pid == 0:
            os._exit(self._run_child(child, supervisor))
        child.pid = pid
        child.started_at = now

    def _run_child(self, child: _Child, supervisor: int) -> int:
        """The life of a child: from its fork to its exit code. Never returns into the supervisor's code."""
        try:
            stop = Stop()
            stop.install()
            setproctitle(f"catchall: {child.spec.name}")

            def beat() -> bool:
                self._beats.set(child.slot, time.monotonic())
                return not stop.wanted and os.getppid() == supervisor

            child.spec.run(beat)
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:  # the edge of the process: say why, then end; the supervisor restarts it
            log.exception("role failed", role=child.spec.name)
            return 1
        return 0

    def _reap(self, now: float) -> None:
        changed = False
        for child in self._children:
            if not child.pid:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid == 0:
                continue
            changed = True
            child.pid = 0
            if self._stopping_since:
                continue
            if now - child.started_at > limits.ROLE_HEALTHY_SECONDS:
                child.failures = 0
            wait = min(limits.ROLE_RESTART_SECONDS_MIN * 2**child.failures, limits.ROLE_RESTART_SECONDS_MAX)
            child.failures += 1
            child.start_at = now + wait
            code = os.waitstatus_to_exitcode(status)
            log.error("role ended, restarting", role=child.spec.name, exit_code=code, after_seconds=wait)
        if changed:
            self._write_status()

    def _end_stuck(self, now: float) -> None:
        """A stopped or hanging child keeps others waiting: end it, a fresh one goes on from the log's position."""
        for child in self._children:
            if child.pid and child.spec.beats and now - self._beats.get(child.slot) > limits.ROLE_SILENT_SECONDS_MAX:
                log.error("role is silent, ending it", role=child.spec.name, seconds=limits.ROLE_SILENT_SECONDS_MAX)
                os.kill(child.pid, signal.SIGKILL)
        held = self._lock_holder()
        if held and now - held[1] > limits.COMMIT_LOCK_SECONDS_MAX and held[0] in {c.pid for c in self._children}:
            log.error("commit lock held too long, ending its holder", pid=held[0])
            os.kill(held[0], signal.SIGKILL)

    # --- stopping -----------------------------------------------------------------------------------------------
    def _asked_to_stop(self) -> None:
        if self._stopping_since:
            log.warning("second signal: stopping now")
            self._signal_all(signal.SIGKILL)
            return
        self._stopping_since = time.monotonic()
        log.info("stopping: finishing what was begun; a second signal stops now")

    def _stop_round(self, now: float) -> bool:
        alive = [child for child in self._children if child.pid]
        if not alive:
            self._status_file.unlink(missing_ok=True)
            return True
        if now - self._stopping_since > limits.STOP_SECONDS_MAX:
            log.error("roles did not finish in time, ending them", roles=[child.spec.name for child in alive])
            self._signal_all(signal.SIGKILL)
            return False
        first = min(child.spec.stop_order for child in alive)
        for child in alive:
            if child.spec.stop_order == first and not child.asked_to_stop:
                child.asked_to_stop = True
                os.kill(child.pid, signal.SIGTERM)
        return False

    def _signal_all(self, number: signal.Signals) -> None:
        for child in self._children:
            if child.pid:
                os.kill(child.pid, number)

    def _write_status(self) -> None:
        """Who runs, for `catchall status`: written whole, then renamed. On a full disk it is tried again each round."""
        roles = {child.spec.name: child.pid for child in self._children}
        partial = self._status_file.with_suffix(".partial")
        try:
            partial.write_bytes(msgspec.json.encode({"supervisor": os.getpid(), "roles": roles}))
            partial.rename(self._status_file)
        except OSError as error:
            if not self._status_failed:
                log.warning("who runs cannot be noted, trying again", error=str(error))
            self._status_failed = True
        else:
            self._status_failed = False
