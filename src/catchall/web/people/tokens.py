"""API tokens: random, shown once, stored as a hash."""

import secrets
from datetime import datetime, timedelta

from catchall.web.people.links import hash_of
from catchall.web.people.models import ApiToken, User

PREFIX = "ca_"  # so that secret scanners and people know one when they see it
TOKEN_BYTES = 30
START_CHARS = 8
TOUCH_SECONDS = 300  # last_used_at is written this often at most: not a write for each request


def make_token(name: str, now: datetime, user: User | None = None) -> str:
    """A new token; what is returned is never to be seen again."""
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    ApiToken.objects.create(user=user, name=name, start=token[:START_CHARS], token_hash=hash_of(token), created_at=now)
    return token


def find_token(token: str, now: datetime) -> ApiToken | None:
    """The token's record, or None for an unknown one or one of a disabled user."""
    if not token.startswith(PREFIX):
        return None
    found = ApiToken.objects.select_related("user").filter(token_hash=hash_of(token)).first()
    if found is None or (found.user is not None and not found.user.is_active):
        return None
    if found.last_used_at is None or now - found.last_used_at > timedelta(seconds=TOUCH_SECONDS):
        ApiToken.objects.filter(id=found.id).update(last_used_at=now)
    return found
