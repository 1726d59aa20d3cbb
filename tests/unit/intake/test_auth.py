"""Whose request it is: keys in headers, queries and DSNs, the snapshot of keys, origins and addresses."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchall.core import limits
from catchall.intake.addresses import AddressList, networks, plain_address
from catchall.intake.auth import (
    Credentials,
    key_from_authorization,
    key_from_query,
    key_from_sentry_header,
    snapshot_of,
)
from catchall.intake.origins import allowed, origin_rules
from catchall.store.base import Project, ProjectKey

KEY = "0123456789abcdef0123456789abcdef"
SHOP = Project(project_id=1, name="Shop", slug="shop", created_at="")


def key(key_id: int = 1, name: str = KEY, **more: object) -> ProjectKey:
    return ProjectKey(key_id=key_id, project_id=1, key=name, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "header",
    [
        f"Sentry sentry_key={KEY}, sentry_version=7, sentry_client=sentry.python/2.75.0",
        f"Sentry sentry_version=7,sentry_key={KEY}",
        f"sentry sentry_key={KEY}",
        f"SENTRY  sentry_version=7 ,  sentry_key = {KEY} , sentry_secret=x",
        f'Sentry sentry_key="{KEY}"',
        f"sentry_key={KEY}",
        f"  Sentry sentry_timestamp=1, sentry_key={KEY}  ",
    ],
)
def test_keys_in_the_header_of_sdks(header):
    assert key_from_sentry_header(header.encode()) == KEY
    assert Credentials().key({b"x-sentry-auth": header.encode()}, b"") == KEY


@pytest.mark.parametrize(
    "header",
    [
        b"", b"Sentry", b"Sentry sentry_keys=1", b"Basic abc", b"Sentry sentry_secret=1",
        b"a=1," * 40 + b"sentry_key=late", b"Sentry sentry_key=x" + b"," * limits.CREDENTIALS_BYTES_MAX,
    ],
)  # fmt: skip
def test_headers_without_a_key(header):
    assert key_from_sentry_header(header) == ""


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f"Sentry sentry_key={KEY}, sentry_version=7", KEY),
        (f"DSN https://{KEY}@errors.example.com/1", KEY),
        (f"dsn  http://{KEY}:secret@h:8300/a/b/1", KEY),
        (f"Bearer {KEY}", ""),
        ("DSN https://errors.example.com/1", ""),
        ("DSN https://[::1", ""),
        ("", ""),
    ],
)
def test_keys_in_the_authorization_header(header, found):
    assert key_from_authorization(header.encode()) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"sentry_key={KEY}", KEY),
        (f"sentry_version=7&sentry_key={KEY}&sentry_client=x", KEY),
        ("sentry_key=%61%62", "ab"),
        ("xsentry_key=1", ""),
        ("", ""),
        ("a=1&" * 40 + "sentry_key=late", ""),
    ],
)
def test_keys_in_the_query(query, found):
    assert key_from_query(query.encode()) == found


@given(st.binary(max_size=300))
def test_no_header_or_query_breaks_the_search_for_keys(data):
    for value in (key_from_sentry_header(data), key_from_authorization(b"DSN " + data), key_from_query(data)):
        assert isinstance(value, str)


def test_the_header_of_the_sdk_comes_first():
    headers = {b"x-sentry-auth": b"Sentry sentry_key=one", b"authorization": b"Sentry sentry_key=three"}
    credentials = Credentials()
    assert credentials.key(headers, b"sentry_key=two") == "one"
    assert credentials.key({b"authorization": headers[b"authorization"]}, b"sentry_key=two") == "two"
    assert credentials.key({b"x-sentry-auth": b"Sentry x=1"}, b"sentry_key=two") == "two"
    assert credentials.key({b"authorization": headers[b"authorization"]}, b"") == "three"
    assert credentials.key({}, b"") == ""


def test_headers_read_before_are_remembered_within_a_bound():
    credentials = Credentials(cached_max=10)
    for number in range(1000):
        assert credentials.key({b"x-sentry-auth": b"Sentry sentry_key=%d" % number}, b"") == str(number)
        assert len(credentials._seen) <= 10


# --- the snapshot -------------------------------------------------------------------------------------------------
def test_a_key_has_the_limits_of_its_own_or_the_installations():
    projects = [SHOP, Project(project_id=2, name="", slug="b", created_at="", rate_limit_per_minute=5)]
    keys = [key(), key(2, "b", rate_limit_per_minute=3), ProjectKey(key_id=3, project_id=2, key="c")]
    found = snapshot_of(9, keys, projects, key_limit=100, project_limit=1000)
    assert found.version == 9
    assert [(facts.key_limit, facts.project_limit) for facts in found.by_key.values()] == [
        (100, 1000),
        (3, 1000),
        (100, 5),
    ]
    assert not snapshot_of(9, [key()], [SHOP]).by_key[KEY].key_limit


def test_keys_of_a_deleted_project_are_unknown():
    assert snapshot_of(1, [ProjectKey(key_id=1, project_id=2, key=KEY)], [SHOP]).by_key == {}


def test_a_projects_pages_are_those_of_any_enabled_key():
    first, second = key(1, "a", origins=["https://a.test"]), key(2, "b", origins=["https://b.test"])
    both = snapshot_of(1, [first, second], [SHOP]).origins[1]
    assert allowed("https://a.test", both)
    assert allowed("https://b.test", both)
    assert not allowed("https://c.test", both)
    assert snapshot_of(1, [first, key(3, "c"), second], [SHOP]).origins[1] == ()
    disabled = snapshot_of(1, [first, key(3, "c", disabled=True)], [SHOP]).origins[1]
    assert not allowed("https://c.test", disabled)


# --- origins ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rule", "yes", "no"),
    [
        ("https://app.example.com", ["https://app.example.com", "HTTPS://APP.EXAMPLE.COM"],
         ["http://app.example.com", "https://example.com", "https://app.example.com.evil.org", "null"]),
        ("https://app.example.com:8443", ["https://app.example.com:8443"],
         ["https://app.example.com", "https://app.example.com:84"]),
        ("app.example.com", ["http://app.example.com", "https://app.example.com:3000", "capacitor://app.example.com"],
         ["https://www.app.example.com", "https://xapp.example.com"]),
        ("*.example.com", ["https://a.example.com", "http://a.b.example.com:80"],
         ["https://example.com", "https://badexample.com", "https://a.example.com.evil.org"]),
        ("https://*.example.com", ["https://a.example.com"], ["http://a.example.com"]),
        ("https://app.example.com/", ["https://app.example.com"], ["https://app.example.org"]),
        ("http://[::1]:3000", ["http://[::1]:3000"], ["http://[::1]:4000", "http://[::2]:3000"]),
        ("[::1]", ["http://[::1]:3000", "http://[::1]"], ["http://[::2]"]),
        ("null", ["null"], ["https://null.example.com"]),
        ("*", ["https://anything.test", "null", ""], []),
    ],
)  # fmt: skip
def test_rules_for_origins(rule, yes, no):
    rules = origin_rules([rule])
    assert [origin for origin in yes if not allowed(origin, rules)] == []
    assert [origin for origin in no if allowed(origin, rules)] == []


def test_no_rules_allow_all_and_one_that_allows_all_wins():
    assert allowed("https://a.test", origin_rules([]))
    assert allowed("https://a.test", origin_rules(["", "  "]))
    assert origin_rules(["https://b.test", "*"]) == ()


@given(st.text(max_size=600), st.text(max_size=50))
def test_no_origin_breaks_the_rules(origin, rule):
    assert allowed(origin, origin_rules([rule])) in (True, False)
    assert not allowed(origin, origin_rules(["https://only.this.test"]))


def test_an_endless_origin_matches_nothing():
    assert not allowed("x" * 600, origin_rules(["x" * 600]))


# --- addresses ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("203.0.113.9", "203.0.113.9"), (" 203.0.113.9:4711 ", "203.0.113.9"), ("[2001:db8::1]:80", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"), ('"[2001:db8::1]"', "2001:db8::1"), ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::1"), ("unknown", ""), ("", ""), ("1.2.3", ""), ("[", ""), ("a:b:c", ""),
    ],
)  # fmt: skip
def test_addresses_as_they_are_written(text, plain):
    assert plain_address(text) == plain


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("203.0.113.7", "1.1.1.1", "203.0.113.7"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("", "203.0.113.9", ""),
        ("10.0.0.1", ",".join(["10.0.0.2"] * 10_000), "10.0.0.2"),
    ],
)
def test_the_client_behind_trusted_proxies(peer, forwarded, client):
    proxies = AddressList(networks(["10.0.0.0/8"]))
    assert proxies.client(peer, None if forwarded is None else forwarded.encode()) == client


def test_without_trusted_proxies_nobody_is_believed():
    assert AddressList(()).client("10.0.0.1", b"203.0.113.9") == "10.0.0.1"


@given(st.lists(st.text(string.printable, max_size=20), max_size=200))
def test_what_was_asked_before_is_remembered_within_a_bound(addresses):
    listed = AddressList(networks(["10.0.0.0/8", "::1"]))
    for address in addresses:
        assert (address in listed) == (address in listed)
    assert len(listed._seen) <= limits.ADDRESSES_CACHED_MAX
