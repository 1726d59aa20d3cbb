"""What the pages stand on: the stores and facts that the composition root hands over, one set for each process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catchall.store.base import Blobs, EventStore, Hot


@dataclass(frozen=True, slots=True)
class WebServices:
    """All that a page may touch.

    `data_dir` holds people.db. `base_url`: where people reach this installation, without a slash at its end.
    `secret`: at least 32 random bytes of the installation. `status` tells how catchall itself is doing: what
    `drawing/health.py` reads, and under "ledger" what `api/models.py` calls Ledger.
    `clock`: microseconds since the epoch. `development` opens the living style page at /-/components.
    """

    hot: Hot
    events: EventStore
    blobs: Blobs
    data_dir: Path
    base_url: str
    secret: bytes
    status: Callable[[], Mapping[str, Any]]
    clock: Callable[[], int]
    development: bool = False


class _Installed:
    services: WebServices | None = None


def install(services: WebServices) -> None:
    """Make `services` what `current` answers in this process."""
    _Installed.services = services


def current() -> WebServices:
    """The services of this process. Raises RuntimeError before `install`."""
    if _Installed.services is None:
        raise RuntimeError("the web application was not built: call catchall.web.application.build first")
    return _Installed.services
