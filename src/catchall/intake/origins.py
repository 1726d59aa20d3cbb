"""Which web pages may send with a key.

A rule is `https://app.example.com` (that origin), `app.example.com` (that host with any scheme and port),
`*.example.com` (its sub-domains, with any scheme and port), `https://*.example.com` (the same with a scheme), `null`
(pages without an origin, as files) or `*`. A port in a rule must match; without one any port does.
Browsers set the header Origin themselves (https://fetch.spec.whatwg.org/#origin-header). Programs that are no browser
send none and are not restricted: they could claim any.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

ORIGIN_CHARS_MAX = 512


class OriginRule(NamedTuple):
    """One allowed origin. `scheme` and `port` empty: any. `below`: the host's sub-domains, not the host itself."""

    scheme: str
    host: str
    port: str
    below: bool


ANY = OriginRule("", "*", "", below=False)


def origin_rules(origins: Iterable[str]) -> tuple[OriginRule, ...]:
    """Read the rules of a key. No rules, or one that allows all: the empty tuple, which allows every origin."""
    rules = tuple(_rule(text) for text in origins if text.strip())
    return () if ANY in rules else rules


def _rule(text: str) -> OriginRule:
    scheme, host, port = _split(text.strip().lower())
    if host.startswith("*."):
        return OriginRule(scheme, host[2:], port, below=True)
    return OriginRule(scheme, host, port, below=False)


def _split(origin: str) -> tuple[str, str, str]:
    scheme, found, rest = origin.partition("://")
    if not found:
        scheme, rest = "", origin
    rest = rest.partition("/")[0]
    host, colon, port = rest.rpartition(":")
    if not colon or rest.endswith("]"):  # no port; the second: an IPv6 address
        return scheme, rest, ""
    return scheme, host, port


def allowed(origin: str, rules: Sequence[OriginRule]) -> bool:
    """May a page of this origin send? `origin`: the header as sent."""
    if not rules:
        return True
    if len(origin) > ORIGIN_CHARS_MAX:
        return False
    scheme, host, port = _split(origin.lower())
    return any(_matches(rule, scheme, host, port) for rule in rules)


def _matches(rule: OriginRule, scheme: str, host: str, port: str) -> bool:
    if rule.scheme and rule.scheme != scheme:
        return False
    if rule.port and rule.port != port:
        return False
    if rule.below:
        return host.endswith("." + rule.host)
    return host == rule.host
