"""The keys that intake knows: a snapshot in memory, renewed when the store says that something changed."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import structlog

from catchall.core import limits
from catchall.intake.auth import KeyFacts, KeySnapshot, snapshot_of
from catchall.intake.metrics import FrontMetrics
from catchall.store.base import Project, ProjectKey

log = structlog.get_logger(__name__)


class KeySource(Protocol):
    """The part of the store that intake reads (`catchall.store.base.Hot` has it)."""

    def keys_version(self) -> int: ...
    def keys(self) -> Sequence[ProjectKey]: ...
    def projects(self) -> Sequence[Project]: ...


class KeysUnavailable(Exception):
    """The store could not be asked, so nobody can say whether a key exists."""


class KeyCache:
    """Looks keys up in memory; asks the store in a thread of its own, about once a second.

    `open_source` is called in that thread, so that a database connection never changes threads. The limits are the
    installation's, in requests a minute, for keys and projects without their own.
    """

    def __init__(
        self,
        open_source: Callable[[], KeySource],
        metrics: FrontMetrics,
        *,
        key_limit: int = 0,
        project_limit: int = 0,
        recheck_seconds: float = limits.KEYS_RECHECK_SECONDS,
    ) -> None:
        self._open_source = open_source
        self._metrics = metrics
        self._key_limit = key_limit
        self._project_limit = project_limit
        self._recheck_seconds = recheck_seconds
        self._source: KeySource | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keys")
        self._snapshot: KeySnapshot | None = None
        self._looked_at = float("-inf")
        self._next_look: asyncio.Task[bool] | None = None
        self._waiters = 0
        self._failing = False

    @property
    def snapshot(self) -> KeySnapshot | None:
        """What is known now; None until the store was read once."""
        return self._snapshot

    def get(self, key: str) -> KeyFacts | None:
        """The facts of a key, from memory."""
        known = self._snapshot
        return known.by_key.get(key) if known is not None else None

    async def look_up(self, key: str) -> KeyFacts | None:
        """The facts of a key that memory does not know: ask the store once more, together with all who wait.

        Raises KeysUnavailable when the store does not answer, or was never read.
        """
        if self._waiters < limits.KEYS_RECHECK_WAITERS_MAX:
            self._waiters += 1
            try:
                fresh = await asyncio.wait_for(asyncio.shield(self._soon()), limits.KEYS_RECHECK_SECONDS_MAX)
            except TimeoutError:
                fresh = False
            finally:
                self._waiters -= 1
            if not fresh:
                raise KeysUnavailable
        if self._snapshot is None:
            raise KeysUnavailable
        return self._snapshot.by_key.get(key)

    def _soon(self) -> asyncio.Task[bool]:
        if self._next_look is None:
            self._next_look = asyncio.create_task(self._look_when_due())
        return self._next_look

    async def _look_when_due(self) -> bool:
        await asyncio.sleep(max(0.0, self._looked_at + self._recheck_seconds - time.monotonic()))
        self._next_look = None  # whoever comes from now on may be newer than what is being read
        return await self.refresh()

    async def refresh(self) -> bool:
        """Read the keys again if they changed. Returns False when the store could not be asked; the old keys stay."""
        self._looked_at = time.monotonic()
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._thread, self._load)
        except Exception as error:  # noqa: BLE001 - a store that fails in any way must not stop what is accepted
            self._metrics.key_load_errors += 1
            if not self._failing:
                log.warning("keys cannot be read; those known stay valid", error=repr(error))
            self._failing = True
            return False
        self._failing = False
        if found is not None:
            self._metrics.key_loads += 1
            self._snapshot = found
        return True

    def _load(self) -> KeySnapshot | None:
        if self._source is None:
            self._source = self._open_source()
        version = self._source.keys_version()  # first: what changes while we read makes us read again
        known = self._snapshot
        if known is not None and known.version == version:
            return None
        return snapshot_of(
            version,
            self._source.keys(),
            self._source.projects(),
            key_limit=self._key_limit,
            project_limit=self._project_limit,
        )

    def close(self) -> None:
        """End the thread; a read under way is not waited for."""
        self._thread.shutdown(wait=False, cancel_futures=True)
