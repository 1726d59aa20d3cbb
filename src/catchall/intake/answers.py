"""What intake answers: small JSON, built once where it is always the same. The table is in docs/reference/intake.md."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from catchall.core.errors import QueueFull, Reason, WireError
from catchall.intake.asgi import Headers, Message, Send, answer, last_part, start
from catchall.intake.origins import OriginRule
from catchall.intake.ratelimit import Refused

HELP = "docs/reference/intake.md#"
RETRY_BUSY_SECONDS = 5

STATUS: dict[Reason, int] = {
    Reason.KEY_MISSING: 401,
    Reason.KEY_UNKNOWN: 401,
    Reason.KEY_DISABLED: 403,
    Reason.KEY_OTHER_PROJECT: 403,
    Reason.ORIGIN_REFUSED: 403,
    Reason.TOO_LARGE: 413,
    Reason.RATE_LIMITED_KEY: 429,
    Reason.RATE_LIMITED_PROJECT: 429,
    Reason.BODY_TIMEOUT: 408,
    Reason.BODY_EMPTY: 400,
    Reason.ENCODING_UNKNOWN: 415,
    Reason.ENVELOPE_HEADER: 400,
    Reason.INFLATE_FAILED: 400,
    Reason.LOG_FULL: 503,
    Reason.DISK_FULL: 503,
    Reason.LOG_UNAVAILABLE: 503,
    Reason.KEYS_UNAVAILABLE: 503,
    Reason.BUSY: 503,
}
_OTHERWISE = 400

_JSON = (b"content-type", b"application/json")
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_EXPOSED = (b"access-control-expose-headers", b"X-Sentry-Error, X-Sentry-Rate-Limits, Retry-After")
_VARY = (b"vary", b"Origin")
_SENT_BY_SDKS = (
    b"X-Sentry-Auth, X-Requested-With, Origin, Accept, Content-Type, Content-Encoding, Transfer-Encoding, "
    b"Authentication, Authorization, sentry-trace, baggage, traceparent"
)
_PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    (b"access-control-allow-headers", _SENT_BY_SDKS),
    (b"access-control-max-age", b"7200"),  # two hours: the most that Chromium keeps
    (b"content-length", b"0"),
]


class Refuse(Exception):
    """A request is refused by name. `retry_after`: seconds, 0 when trying again is senseless."""

    def __init__(self, reason: Reason, detail: str, *, status: int = 0, retry_after: int = 0) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.status = status or STATUS.get(reason, _OTHERWISE)
        self.retry_after = retry_after
        self.rate_limits = b""


def refuse_rate(refused: Refused) -> Refuse:
    """A rate limit was reached, said in the way that SDKs understand."""
    refuse = Refuse(
        refused.reason, f"the {refused.scope} has sent its limit of requests a minute", retry_after=refused.seconds
    )
    refuse.rate_limits = refused.sentry_rate_limits()
    return refuse


def refuse_full(full: QueueFull) -> Refuse:
    """The log takes no more for now."""
    return Refuse(full.reason, "the log takes no more for now", status=503, retry_after=max(1, round(full.retry_after)))


def refuse_wire(error: WireError) -> Refuse:
    """The bytes are not what the protocol says."""
    return Refuse(error.reason, error.detail, status=error.status)


class Cors(NamedTuple):
    """What a browser is told: the Origin it sent, if any, and the rules that the request fell under."""

    origin: bytes | None
    rules: Sequence[OriginRule] = ()

    def headers(self) -> Headers:
        """The fields that let the page read the answer."""
        if self.origin is None:
            return []
        if not self.rules:
            return [_ANY_ORIGIN, _EXPOSED]
        return [(b"access-control-allow-origin", self.origin), _EXPOSED, _VARY]


def _accepted(length: int, cors: Cors) -> Message:
    return start(200, [_JSON, (b"content-length", str(length).encode()), *cors.headers()])


NO_ORIGIN = Cors(None)
_NO_ID = b"{}"
_ID_LENGTH = len('{"id":""}') + 32
_START_ID = _accepted(_ID_LENGTH, NO_ORIGIN)
_START_NO_ID = _accepted(len(_NO_ID), NO_ORIGIN)
_START_ID_ANY = _accepted(_ID_LENGTH, Cors(b"*"))
_START_NO_ID_ANY = _accepted(len(_NO_ID), Cors(b"*"))


async def send_accepted(send: Send, event_id: str, cors: Cors) -> None:
    """It is durable. `event_id`: 32 hex digits, or empty."""
    if cors.origin is None:
        begin = _START_ID if event_id else _START_NO_ID
    elif not cors.rules:
        begin = _START_ID_ANY if event_id else _START_NO_ID_ANY
    else:
        begin = _accepted(_ID_LENGTH if event_id else len(_NO_ID), cors)
    await send(begin)
    await send(last_part(b'{"id":"%b"}' % event_id.encode() if event_id else _NO_ID))


async def send_refusal(send: Send, refuse: Refuse, cors: Cors, *, close: bool) -> None:
    """It is refused, and why. `close`: the connection ends with this answer."""
    reason = refuse.reason.value
    headers: Headers = [_JSON, (b"x-sentry-error", reason.encode()), *cors.headers()]
    if refuse.retry_after:
        headers.append((b"retry-after", str(refuse.retry_after).encode()))
    if refuse.rate_limits:
        headers.append((b"x-sentry-rate-limits", refuse.rate_limits))
    if close:
        headers.append((b"connection", b"close"))
    body = msgspec.json.encode({"error": reason, "detail": refuse.detail, "help": HELP + reason})
    await answer(send, refuse.status, headers, body)


async def send_preflight(send: Send, cors: Cors) -> None:
    """Yes, this page may send."""
    await send(start(204, [*_PREFLIGHT, *cors.headers(), (b"allow", b"POST, OPTIONS")]))
    await send(last_part(b""))


async def send_method_refused(send: Send) -> None:
    """Errors are sent with POST."""
    detail = "send errors with POST"
    body = msgspec.json.encode({"error": "method_not_allowed", "detail": detail, "help": HELP + "paths"})
    await answer(send, 405, [_JSON, (b"allow", b"POST, OPTIONS")], body)
