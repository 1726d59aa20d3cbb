"""What steps may know: fetched once for a batch, so that no step touches anything outside."""

from collections.abc import Callable

import msgspec

from catchall.core.event import EventDraft


class ProjectSettings(msgspec.Struct, kw_only=True, frozen=True):
    """What a project decides about its events."""

    project_id: int
    slug: str
    retention_days: int
    keep_user_ids: bool = False
    keep_addresses: bool = False
    in_app_include: tuple[str, ...] = ()
    in_app_exclude: tuple[str, ...] = ()
    scrub_keys: tuple[str, ...] = ()  # more key names to mask, lower case


class BatchContext(msgspec.Struct, kw_only=True, frozen=True):
    """The facts of one batch. `now`: microseconds since the epoch. `installation_key`: secret, for keyed hashes."""

    now: int
    installation_key: bytes
    projects: dict[int, ProjectSettings]


Step = Callable[[EventDraft, BatchContext], None]
"""Changes the draft in place; raises Drop or Invalid to end the event's way, and nothing else."""
