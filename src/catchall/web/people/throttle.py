"""Bounds on guessing passwords: failed logins for each account and for each address, in the database.

An attempt is counted before the password is looked at and taken back when it was right, so that a hundred attempts at
once count as a hundred. The table is bounded: old windows go first, then the oldest ones.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from catchall.core.limits import (
    LOGIN_ATTEMPTS_PER_ACCOUNT,
    LOGIN_ATTEMPTS_PER_ADDRESS,
    LOGIN_THROTTLE_ROWS_MAX,
    LOGIN_WINDOW_SECONDS,
)
from catchall.web.people.models import LoginThrottle, normal_email

WINDOW = timedelta(seconds=LOGIN_WINDOW_SECONDS)


def keys_of(email: str, address: str) -> list[tuple[str, int]]:
    """What an attempt counts against, with its bound. Hashed: the table keeps no typed-in names."""
    account = hashlib.sha256(b"account:" + normal_email(email).encode()).hexdigest()
    place = hashlib.sha256(b"address:" + address.encode()).hexdigest()
    return [(account, LOGIN_ATTEMPTS_PER_ACCOUNT), (place, LOGIN_ATTEMPTS_PER_ADDRESS)]


def begin_attempt(keys: Sequence[tuple[str, int]], now: datetime) -> int:
    """Count an attempt. Returns 0 when it may go on, else the seconds to wait (and counts nothing)."""
    with transaction.atomic():
        LoginThrottle.objects.filter(window_start__lte=now - WINDOW).delete()
        names = [key for key, _ in keys]
        rows = {row.key_hash: row for row in LoginThrottle.objects.filter(key_hash__in=names)}
        waits = [
            (rows[key].window_start + WINDOW - now).total_seconds()
            for key, bound in keys
            if key in rows and rows[key].attempts >= bound
        ]
        if waits:
            return max(1, round(max(waits)))
        _make_room()
        for key in names:
            if key in rows:
                LoginThrottle.objects.filter(key_hash=key).update(attempts=F("attempts") + 1)
            else:
                LoginThrottle.objects.create(key_hash=key, attempts=1, window_start=now)
    return 0


def succeeded(keys: Sequence[tuple[str, int]]) -> None:
    """The password was right: forget the account's failures, and this attempt of the address."""
    account, address = keys[0][0], keys[1][0]
    with transaction.atomic():
        LoginThrottle.objects.filter(key_hash=account).delete()
        LoginThrottle.objects.filter(key_hash=address, attempts__gt=0).update(attempts=F("attempts") - 1)


def _make_room() -> None:
    surplus = LoginThrottle.objects.count() - LOGIN_THROTTLE_ROWS_MAX
    if surplus > 0:
        oldest = LoginThrottle.objects.order_by("window_start").values_list("key_hash", flat=True)[:surplus]
        LoginThrottle.objects.filter(key_hash__in=list(oldest)).delete()
