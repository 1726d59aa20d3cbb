"""Who sends: the key that a request carries, and what is known of that key.

Sources: https://develop.sentry.dev/sdk/overview/#authentication and, for `Authorization: DSN`, the cron check-in
endpoint of the same protocol.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from catchall.core import limits
from catchall.intake.origins import OriginRule, origin_rules
from catchall.store.base import Project, ProjectKey

PARTS_MAX = 32  # of an auth header or a query string


class KeyFacts(NamedTuple):
    """What intake needs to know of a key. Limits are requests a minute; 0: no limit."""

    key_id: int
    project_id: int
    disabled: bool
    urgent: bool
    key_limit: int
    project_limit: int
    origins: tuple[OriginRule, ...]

    @property
    def limited(self) -> bool:
        """Is there anything to count?"""
        return self.key_limit > 0 or self.project_limit > 0


class KeySnapshot(NamedTuple):
    """All keys at one moment; never changed, only replaced.

    `origins`: of all enabled keys of a project, for pre-flights, which do not say the key. A project with one
    unrestricted key has no rules there.
    """

    version: int
    by_key: Mapping[str, KeyFacts]
    origins: Mapping[int, tuple[OriginRule, ...]]


def snapshot_of(
    version: int,
    keys: Iterable[ProjectKey],
    projects: Iterable[Project],
    *,
    key_limit: int = 0,
    project_limit: int = 0,
) -> KeySnapshot:
    """Build the lookup tables. The limits are the installation's, for keys and projects without their own."""
    project_limits = {project.project_id: project.rate_limit_per_minute or project_limit for project in projects}
    by_key: dict[str, KeyFacts] = {}
    origins: dict[int, tuple[OriginRule, ...]] = {}
    for key in keys:
        if key.project_id not in project_limits:
            continue  # its project is gone: nothing may be accepted for it
        rules = origin_rules(key.origins)
        by_key[key.key] = KeyFacts(
            key.key_id,
            key.project_id,
            key.disabled,
            key.urgent,
            key.rate_limit_per_minute or key_limit,
            project_limits[key.project_id],
            rules,
        )
        if not key.disabled:
            before = origins.get(key.project_id)
            open_to_all = not rules or before == ()
            origins[key.project_id] = () if open_to_all else (before or ()) + rules
    return KeySnapshot(version, by_key, origins)


def key_from_sentry_header(value: bytes) -> str:
    """The key in `Sentry sentry_version=7, sentry_key=..., ...`; empty when there is none."""
    if len(value) > limits.CREDENTIALS_BYTES_MAX:
        return ""
    text = value.decode("latin-1").strip()
    if text[:7].lower() == "sentry ":
        text = text[7:]
    for part in text.split(",", PARTS_MAX)[:PARTS_MAX]:
        name, _, found = part.partition("=")
        if name.strip() == "sentry_key":
            return found.strip().strip('"')
    return ""


def key_from_authorization(value: bytes) -> str:
    """The key in `Sentry sentry_key=...` or `DSN https://KEY@host/1`; empty for every other scheme."""
    if len(value) > limits.CREDENTIALS_BYTES_MAX:
        return ""
    scheme, _, rest = value.strip().partition(b" ")
    if scheme.lower() == b"sentry":
        return key_from_sentry_header(rest)
    if scheme.lower() == b"dsn":
        return key_from_dsn(rest.decode("latin-1").strip())
    return ""


def key_from_dsn(dsn: str) -> str:
    """The public key of a DSN; empty when it has none."""
    try:
        return urlsplit(dsn).username or ""
    except ValueError:
        return ""


def key_from_query(query: bytes) -> str:
    """The value of `sentry_key` in a query string; empty when there is none."""
    if len(query) > limits.CREDENTIALS_BYTES_MAX:
        return ""
    for part in query.split(b"&", PARTS_MAX)[:PARTS_MAX]:
        if part.startswith(b"sentry_key="):
            return unquote(part[11:].decode("latin-1"))
    return ""


class Credentials:
    """Finds the key of a request. A client sends the same header each time, so what was read is remembered."""

    def __init__(self, cached_max: int = limits.CREDENTIALS_CACHED_MAX) -> None:
        self._seen: dict[bytes, str] = {}
        self._cached_max = cached_max

    def key(self, headers: Mapping[bytes, bytes], query: bytes) -> str:
        """The key from X-Sentry-Auth, Authorization or the query, in this order; empty when there is none."""
        value = headers.get(b"x-sentry-auth")
        if value is not None:
            found = self._seen.get(value)
            if found is None:
                found = self._remember(value, key_from_sentry_header(value))
            if found:
                return found
        if query:
            found = key_from_query(query)
            if found:
                return found
        value = headers.get(b"authorization")
        return key_from_authorization(value) if value is not None else ""

    def _remember(self, value: bytes, key: str) -> str:
        if len(value) <= limits.CREDENTIALS_BYTES_MAX:
            if len(self._seen) >= self._cached_max:
                self._seen.clear()  # headers with a time in them never repeat; starting again is cheap
            self._seen[value] = key
        return key
