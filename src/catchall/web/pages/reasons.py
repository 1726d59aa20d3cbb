"""Why something was refused, dropped or set aside, and what to do about it: words for each `Reason` and `Outcome`."""

from collections.abc import Mapping

from catchall.core.errors import Reason
from catchall.core.ledger import Outcome

OUTCOMES: Mapping[str, str] = {
    Outcome.STORED: "kept as events; each is part of an issue",
    Outcome.AGGREGATED: "counted in sums, not kept one by one",
    Outcome.DUPLICATE: "the same event id had arrived before",
    Outcome.FILTERED: "a filter rule of the project dropped them",
    Outcome.SAMPLED: "left out by a sampling rate",
    Outcome.REJECTED: "not taken, for the reason given",
    Outcome.DEAD: "could not be understood; their bytes wait as dead letters",
    Outcome.UNSUPPORTED: "a kind of item that catchall does not keep",
    Outcome.REFUSED: "requests that intake answered with an error; nothing of them was taken",
}

REASONS: Mapping[Reason, str] = {
    Reason.KEY_MISSING: "The request named no key. Put the project's DSN into the client.",
    Reason.KEY_UNKNOWN: "No project has this key. The client holds an old or foreign DSN.",
    Reason.KEY_DISABLED: "The key was switched off in the project's settings.",
    Reason.KEY_OTHER_PROJECT: "The key belongs to another project than the address names.",
    Reason.ORIGIN_REFUSED: "The key takes requests from certain web origins only, and this was another one.",
    Reason.TOO_LARGE: "The request is larger than the limit.",
    Reason.RATE_LIMITED_KEY: "The key's rate limit was reached; clients were told when to send again.",
    Reason.RATE_LIMITED_PROJECT: "The project's rate limit was reached; clients were told when to send again.",
    Reason.BODY_TIMEOUT: "The request's body came too slowly and was given up.",
    Reason.BODY_EMPTY: "The request had no body.",
    Reason.BODY_TRUNCATED: "The connection ended before the body did.",
    Reason.ENCODING_UNKNOWN: "The body's Content-Encoding is none of identity, gzip, deflate, br, zstd.",
    Reason.ENVELOPE_HEADER: "The envelope's first line is not a JSON object.",
    Reason.LOG_FULL: "The log had reached its size; workers were behind. Clients were told when to send again.",
    Reason.DISK_FULL: "The disk was nearly full. Clients were told when to send again.",
    Reason.LOG_UNAVAILABLE: "The log could not be written. Clients were told when to send again.",
    Reason.KEYS_UNAVAILABLE: "The keys could not be read. Clients were told when to send again.",
    Reason.BUSY: "Too many requests were under way. Clients were told when to send again.",
    Reason.INFLATE_FAILED: "The compressed body is damaged.",
    Reason.INFLATED_TOO_LARGE: "The body is larger than the limit once inflated.",
    Reason.JSON_MALFORMED: "This is not JSON. Look at the bytes: a proxy's error page, a cut body?",
    Reason.JSON_TOO_DEEP: "The JSON is nested deeper than the limit.",
    Reason.WRONG_TYPE: "A field has a type that its protocol does not allow.",
    Reason.ITEM_HEADER: "An item's header is not a JSON object, or has no type.",
    Reason.ITEM_TRUNCATED: "An item is shorter than its header says.",
    Reason.ITEM_TOO_LARGE: "An item is larger than the limit.",
    Reason.TOO_MANY_ITEMS: "An envelope holds more items than the limit.",
    Reason.LOG_CORRUPT: "A record of the log did not match its checksum: look at the disk. It cannot be replayed.",
    Reason.SPOOL_MISSING: "The file with a large body is gone.",
    Reason.PROTOCOL_UNKNOWN: "No reader for this protocol: was this installation downgraded?",
    Reason.STEP_FAILED: "Our own code failed on this item. Replay it after an upgrade, and please report it.",
    Reason.WORKER_DIED: "Each worker that took it up died. Replay it after an upgrade, and please report it.",
    Reason.ITEM_UNSUPPORTED: "A kind of item that catchall does not keep.",
    Reason.MINIDUMP_NOT_KEPT: "Minidumps hold memory with secrets in it; the project has not asked to keep them.",
    Reason.ATTACHMENT_ORPHAN: "An attachment came without the event that it belongs to.",
    Reason.ATTACHMENT_TOO_MANY: "The event has more attachments than the limit.",
    Reason.EVENT_EMPTY: "The event holds neither an exception nor a message.",
    Reason.PROJECT_DELETED: "The project was deleted before the item was processed.",
    Reason.DUPLICATE: "The same event id had arrived before.",
}


def explain(reason: str) -> str:
    """What a stored reason means; one of a newer version is shown as it is."""
    try:
        return REASONS[Reason(reason)]
    except (ValueError, KeyError):
        return ""
