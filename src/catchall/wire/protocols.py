"""Every protocol that catchall speaks: one line each."""

from catchall.wire import sentry, sentry_store
from catchall.wire.base import WireProtocol

PROTOCOLS: dict[str, WireProtocol] = {
    "sentry.envelope": sentry,
    "sentry.store": sentry_store,
}
