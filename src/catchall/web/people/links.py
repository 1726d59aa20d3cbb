"""One-time login links: how the first person gets in, and how a forgotten password is mended.

Only who can run commands on the server gets one. A link is signed (a forged one costs no database look-up), stored
as a hash, works once and for a day, and is spent by sending the form, not by opening it: chat programs and mail
scanners open links.
"""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from django.core import signing
from django.db import transaction
from django.urls import reverse

from catchall.core.limits import LOGIN_LINK_SECONDS, LOGIN_LINKS_MAX
from catchall.core.times import MICROSECONDS
from catchall.web.people.models import LoginLink
from catchall.web.services import WebServices

TOKEN_BYTES = 24


def moment(microseconds: int) -> datetime:
    """A clock reading as Django stores it."""
    return datetime.fromtimestamp(microseconds / MICROSECONDS, UTC)


def hash_of(token: str) -> str:
    """What the database knows of a token. A plain hash is enough: tokens are random, not chosen by people."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_link(services: WebServices) -> str:
    """A new link, as an absolute address. Old and surplus links are forgotten on the way."""
    now = moment(services.clock())
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        LoginLink.objects.filter(expires_at__lte=now).delete()
        surplus = LoginLink.objects.order_by("-id").values_list("id", flat=True)[LOGIN_LINKS_MAX - 1 :]
        LoginLink.objects.filter(id__in=list(surplus)).delete()
        LoginLink.objects.create(
            token_hash=hash_of(token), created_at=now, expires_at=now + timedelta(seconds=LOGIN_LINK_SECONDS)
        )
    return services.base_url + reverse("login-link", args=[_sign(token)])


def find_link(signed: str, now: datetime) -> LoginLink | None:
    """The unspent link of this address, or None for a forged, spent or old one."""
    try:
        token = signing.Signer(salt="login-link").unsign(signed.replace(".", ":"))
    except signing.BadSignature:
        return None
    return LoginLink.objects.filter(token_hash=hash_of(token), used_at=None, expires_at__gt=now).first()


def spend(link: LoginLink, now: datetime) -> bool:
    """Use the link up. False when somebody was faster; call it inside the transaction that logs the person in."""
    return LoginLink.objects.filter(id=link.id, used_at=None).update(used_at=now) == 1


def _sign(token: str) -> str:
    return signing.Signer(salt="login-link").sign(token).replace(":", ".")
