"""Secrets that are recognizable by their own shape, wherever they stand in a text.

Token shapes follow the vendors' public documentation. Each rule has two patterns: `pattern`, which finds candidates in
a text (then `spans` decides), and `screen`, which finds at least as much in raw JSON, where characters may be escaped:
it asks for nothing around the secret and for no character that JSON may write in another way.
"""

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import NamedTuple

from catchall.core.scrub.numbers import IBAN_LENGTH_MIN, cards_in, iban_end, is_ssn

Found = Iterator[tuple[int, int]]


class ValueRule(NamedTuple):
    """A shape. `spans(data, start, end, groups)` yields what to mask of a candidate."""

    rule: str
    pattern: bytes
    screen: bytes
    spans: Callable[[bytes, int, int, int, int], Found]


def _whole(data: bytes, start: int, end: int, inner: int, inner_end: int) -> Found:
    yield start, end


def _group(data: bytes, start: int, end: int, inner: int, inner_end: int) -> Found:
    yield inner, inner_end


def _cards(data: bytes, start: int, end: int, inner: int, inner_end: int) -> Found:
    return cards_in(data, start, end)


def _ibans(data: bytes, start: int, end: int, inner: int, inner_end: int) -> Found:
    """The candidate may run on into the next word in capitals, or begin with one."""
    at = start
    while at <= end - IBAN_LENGTH_MIN:
        stop = iban_end(data, at, end)
        if stop:
            yield at, stop
        at = stop or at + 1


_JOINS = (b"-", b"_", b".")  # they make a number part of a longer name


def _ssns(data: bytes, start: int, end: int, inner: int, inner_end: int) -> Found:
    before, after = data[start - 1 : start] if start else b"", data[end : end + 1]
    if before.isalnum() or after.isalnum() or before in _JOINS or after in (b"-", b"_"):
        return
    if is_ssn(data[start:end].decode("latin-1")):
        yield start, end


def _tokens(data: bytes, start: int, end: int, inner: int, inner_end: int) -> Found:
    """`sk-...` is a key, `task-...` is not."""
    if not data[start - 1 : start].isalnum() or not start:
        yield start, end


def _credentials(data: bytes, start: int, end: int, inner: int, inner_end: int) -> Found:
    """`Basic` and `Bearer` are words of prose too: what follows must look like a token."""
    token = data[inner:inner_end]
    if data[start : start + 5].lower() == b"basic":
        if _is_basic(token):
            yield inner, inner_end
    elif len(token) >= 32 or any(byte in b"0123456789" for byte in token):
        yield inner, inner_end


def _is_basic(token: bytes) -> bool:
    """Whether a text is base64 of `user:password` (RFC 7617)."""
    try:
        return b":" in base64.b64decode(token + b"=" * (-len(token) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


_USER_CHARS_MAX = 256  # of `scheme://user`
_NO_DOMAINS = frozenset(
    (b"png", b"jpg", b"jpeg", b"gif", b"webp", b"svg", b"js", b"mjs", b"cjs", b"css", b"map", b"json", b"html")
)


def _in_user_info(before: bytes) -> bool:
    """Whether what comes next stands in `scheme://user:password@host`."""
    _, joint, user = before.rpartition(b"://")
    return bool(joint) and b":" in user and b"/" not in user and not any(byte in b" \t\r\n\"'" for byte in user)


def _emails(data: bytes, start: int, end: int, inner: int, inner_end: int) -> Found:
    """Neither `package@1.2.beta`, nor `icon@2x.png`, nor `git@host:path`."""
    domain = data[inner:inner_end]
    first, _, rest = domain.partition(b".")
    if first.isdigit() and rest[:1].isdigit():
        return
    if domain.rpartition(b".")[2].lower() in _NO_DOMAINS or data[start : start + 4] == b"git@":
        return
    if _in_user_info(data[max(0, start - _USER_CHARS_MAX) : start]):
        return  # url_password is about that
    yield start, end


_LETTER = rb"(?:[A-Za-z0-9]|[\xc3-\xd3][\x80-\xbf])"  # of names in Latin, Greek and Cyrillic letters
_VENDOR_KEYS = rb"|".join(
    (
        rb"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",  # AWS
        rb"gh[pousr]_[A-Za-z0-9]{20,}",  # GitHub
        rb"github_pat_[A-Za-z0-9_]{20,}",
        rb"gl(?:pat|ptt|dt|rt|cbt|soat)-[A-Za-z0-9_-]{16,}",  # GitLab
        rb"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}",  # Stripe
        rb"whsec_[A-Za-z0-9+/\\]{16,}",
        rb"xox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
        rb"xapp-[0-9]-[A-Za-z0-9-]{10,}",
        rb"hooks\.slack\.com\\?/services\\?/[A-Za-z0-9/\\_-]{10,}",
        rb"AIza[A-Za-z0-9_-]{30,}",  # Google
        rb"ya29\.[A-Za-z0-9_-]{20,}",
        rb"GOCSPX-[A-Za-z0-9_-]{20,}",
        rb"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",  # SendGrid
        rb"sk-(?:ant|proj|svcacct|or|lf)-[A-Za-z0-9_-]{16,}",  # model providers
        rb"sk-[A-Za-z0-9]{32,}",
        rb"npm_[A-Za-z0-9]{30,}",
        rb"pypi-[A-Za-z0-9_-]{40,}",
        rb"dop_v1_[a-f0-9]{40,}",  # DigitalOcean
        rb"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{20,}",  # Shopify
        rb"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{20,}",  # Square
        rb"EAAA[A-Za-z0-9_-]{50,}",
        rb"hf_[A-Za-z0-9]{30,}",  # Hugging Face
        rb"gl(?:sa|c)_[A-Za-z0-9_]{30,}",  # Grafana
        rb"dapi[a-f0-9]{32}",  # Databricks
        rb"xkeysib-[a-f0-9]{40,}",  # Brevo
        rb"SK[a-f0-9]{32}",  # Twilio
        rb"hv[sb]\.[A-Za-z0-9_-]{20,}",  # Vault
        rb"nfp_[A-Za-z0-9]{30,}",  # Netlify
        rb"PMAK-[A-Za-z0-9-]{30,}",  # Postman
        rb"ATATT3[A-Za-z0-9_=-]{30,}",  # Atlassian
        rb"lin_api_[A-Za-z0-9]{30,}",  # Linear
        rb"dckr_pat_[A-Za-z0-9_-]{20,}",  # Docker
        rb"sntry[su]_[A-Za-z0-9_+/\\=-]{30,}",  # Sentry
        rb"AGE-SECRET-KEY-1[A-Z0-9]{50,}",
    )
)
_JWT = rb"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){0,3}"

NUMBER_RULES = frozenset(("card", "ssn"))  # digits alone: they may be an id by chance

# A slash may be written `\/` in JSON, so the patterns of tokens let a backslash stand before one.
# Earlier rules name the mask where two find the same place.
VALUE_RULES: tuple[ValueRule, ...] = (
    ValueRule(
        "private_key",
        rb"(?s)-----BEGIN[ A-Z0-9]*PRIVATE KEY[ A-Z0-9]*-----.*?(?:-----END[ A-Z0-9]*-----|\z)",
        rb"-----BEGIN[ A-Z0-9]*PRIVATE KEY",
        _whole,
    ),
    ValueRule("jwt", _JWT, rb"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5}", _whole),
    ValueRule("api_key", _VENDOR_KEYS, _VENDOR_KEYS, _tokens),
    ValueRule(
        "authorization",
        rb"(?i)\b(?:bearer|basic)[ \t:]{1,4}([A-Za-z0-9._~+/=-]{8,})",
        rb"(?i)(?:bearer|basic)(?:[ :]|\\t|%20)+[A-Za-z0-9._~+/=\\-]{8}",
        _credentials,
    ),
    ValueRule(
        "url_password",
        rb"://[^\s/?#:@\"'<>\\]*:([^\s/?#@\"'<>\\]+)@",
        rb":(?:\\?/){2}[^\s/?#@\"<>]*:[^\s/?#@\"<>]+@",
        _group,
    ),
    ValueRule(
        "email",
        rb"(?:[A-Za-z0-9_]|[\xc3-\xd3][\x80-\xbf])(?:[A-Za-z0-9._+'-]|[\xc3-\xd3][\x80-\xbf])*(?:@|%40)"
        rb"((?:" + _LETTER + rb"(?:" + _LETTER + rb"|-)*\.)+(?:[A-Za-z]|[\xc3-\xd3][\x80-\xbf]){2,})",
        rb"(?:@|%40)[A-Za-z0-9\x80-\xff\\](?:[A-Za-z0-9\x80-\xff\\-]*\.)+[A-Za-z\x80-\xff\\]{2}",
        _emails,
    ),
    ValueRule(
        "card",
        rb"[2-6][0-9](?:[ -]?[0-9]){11,}",
        rb"(?:[^0-9.]|[^0-9]\.|\\u[0-9A-Fa-f]{4}\.?)[2-6][0-9](?:[ -]?[0-9]){11}",
        _cards,
    ),
    ValueRule("ssn", rb"[0-9]{3}-[0-9]{2}-[0-9]{4}", rb"[0-9]-[0-9]{2}-[0-9]{4}", _ssns),
    ValueRule(
        "iban",
        rb"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}",
        rb"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11}",
        _ibans,
    ),
)
