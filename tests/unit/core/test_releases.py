"""Names of releases, and which of two is newer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchall.core.releases import is_newer, order_of, parse_release, service_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("shop@1.4.2-rc.1+88", ("shop", "1.4.2-rc.1", "88")),
        ("1.4.2", ("", "1.4.2", "")),
        ("@acme/api@2.0", ("@acme/api", "2.0", "")),
        ("@", ("", "@", "")),
        ("shop@", ("", "shop@", "")),
        ("", ("", "", "")),
    ],
)
def test_parts(text, parts):
    assert parse_release(text)[:3] == parts


def test_a_commit_has_no_order():
    release = parse_release("shop@" + "a1" * 20)
    assert release.is_commit
    assert release.order is None
    assert not parse_release("shop@1.2").is_commit


SORTED = [
    "0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
    "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2", "1.10", "v2", "2.0.0.1", "20240101",
]  # fmt: skip


def test_the_order_of_semantic_versions():
    """The example of semver.org, section 11.4, and what people do besides."""
    orders = [order_of(version) for version in SORTED]
    assert None not in orders
    assert sorted(orders, key=lambda order: order or ()) == orders


@pytest.mark.parametrize("version", ["", "main", "1.x", "1..2", "1.2.3.4.5", "١.٢", "9" * 30])
def test_versions_without_order(version):
    assert order_of(version) is None


def test_newer():
    assert is_newer("shop@1.10", "shop@1.9") is True
    assert is_newer("shop@1.9", "shop@1.10") is False
    assert is_newer("shop@1.0", "shop@1.0.0") is False
    assert is_newer("till@1.1", "shop@1.0") is None
    assert is_newer("shop@main", "shop@1.0") is None


def test_the_service_that_a_release_names():
    assert [service_of(text) for text in ("shop@1", "@acme/api@2", "1.2", "my.app@1+2")] == [
        "shop",
        "api",
        "",
        "my.app",
    ]


@given(st.text(max_size=40))
def test_anything_is_a_release(text):
    parse_release(text)
    service_of(text)
