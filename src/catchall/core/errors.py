"""What can be refused, and why: one tree of exceptions, one list of reasons.

A `Reason` is what people read in the ledger, in answers, in dead letters and in the metrics; docs/reference/reasons.md
explains each.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why something was refused, dropped or set aside. The value is stable: it is stored and shown."""

    # refused at intake (nothing stored)
    KEY_MISSING = "key_missing"
    KEY_UNKNOWN = "key_unknown"
    KEY_DISABLED = "key_disabled"
    KEY_OTHER_PROJECT = "key_other_project"
    ORIGIN_REFUSED = "origin_refused"
    TOO_LARGE = "too_large"
    RATE_LIMITED_KEY = "rate_limited_key"
    RATE_LIMITED_PROJECT = "rate_limited_project"
    BODY_TIMEOUT = "body_timeout"
    BODY_EMPTY = "body_empty"
    BODY_TRUNCATED = "body_truncated"
    ENCODING_UNKNOWN = "encoding_unknown"
    ENVELOPE_HEADER = "envelope_header"
    LOG_FULL = "log_full"
    DISK_FULL = "disk_full"
    LOG_UNAVAILABLE = "log_unavailable"
    KEYS_UNAVAILABLE = "keys_unavailable"
    BUSY = "busy"
    # dead letters (bytes kept, replayable)
    INFLATE_FAILED = "inflate_failed"
    INFLATED_TOO_LARGE = "inflated_too_large"
    JSON_MALFORMED = "json_malformed"
    JSON_TOO_DEEP = "json_too_deep"
    WRONG_TYPE = "wrong_type"
    ITEM_HEADER = "item_header"
    ITEM_TRUNCATED = "item_truncated"
    ITEM_TOO_LARGE = "item_too_large"
    TOO_MANY_ITEMS = "too_many_items"
    LOG_CORRUPT = "log_corrupt"
    SPOOL_MISSING = "spool_missing"
    PROTOCOL_UNKNOWN = "protocol_unknown"
    STEP_FAILED = "step_failed"
    WORKER_DIED = "worker_died"
    # set aside, counted
    ITEM_UNSUPPORTED = "item_unsupported"
    MINIDUMP_NOT_KEPT = "minidump_not_kept"
    ATTACHMENT_ORPHAN = "attachment_orphan"
    ATTACHMENT_TOO_MANY = "attachment_too_many"
    EVENT_EMPTY = "event_empty"
    PROJECT_DELETED = "project_deleted"
    DUPLICATE = "duplicate"


class CatchallError(Exception):
    """Root of all errors that catchall raises on purpose."""


class WireError(CatchallError):
    """The client's bytes are not what its protocol says.

    `status` is the HTTP answer when intake meets it; a worker makes a dead letter of it instead.
    """

    def __init__(self, reason: Reason, detail: str = "", *, status: int = 400) -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail
        self.status = status


class Drop(CatchallError):
    """A step decided that this event is not to be stored; counted under its reason, no bytes kept."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


class Invalid(CatchallError):
    """A step cannot understand this event; it becomes a dead letter with its bytes."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


class QueueFull(CatchallError):
    """The log does not take more for now. `retry_after` is in seconds."""

    def __init__(self, reason: Reason, retry_after: float) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after = retry_after


class QueueFailed(CatchallError):
    """The log could not make a record durable; nothing of the failed group was acknowledged."""


class StoreError(CatchallError):
    """The store refused or failed; the message says what to do."""


class StoreBusy(StoreError):
    """Somebody else holds what we need; try the same again."""


class CursorUnknown(StoreError):
    """This is not where a list goes on: begin at its first page again."""


class FencedOff(StoreError):
    """This worker's lease is not the newest: another took over; nothing was committed."""


class PositionBeyondLog(StoreError):
    """A committed position lies beyond the log's end: an old log beside a newer store, or the other way round."""


class ConfigError(CatchallError):
    """A setting is wrong; the message names the setting and the legal values."""
