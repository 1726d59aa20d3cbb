"""What people and scripts rely on is in the docs: settings, commands, reasons, metrics, addresses."""

import ast
import re
from collections.abc import Sequence

import pytest
from django.urls import URLPattern, URLResolver

from catchall.core.errors import Reason
from catchall.core.ledger import Outcome
from tests.tidy.sources import ROOT, python_files, tree_of
from tools import reference

DOCS = ROOT / "docs/reference"
# cookies and names of attributes, which begin as metrics do
NOT_METRICS = {"catchall_action", "catchall_csrf", "catchall_session", "catchall_theme"}
METRIC = re.compile(r"\bcatchall_[a-z0-9_]+[a-z0-9]\b")
FRONT_ADDRESSES = ("/api/<project>/envelope/", "/api/<project>/store/", "/tunnel", "/healthz", "/readyz", "/metrics")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_the_page_is_what_the_code_says(name):
    assert page(name) == reference.PAGES[name](), "run: make docs"


@pytest.mark.parametrize("name", [name for name, _ in reference.commands()])
def test_every_command_is_described(name):
    assert f"## `{name}`\n\n" in page("commands.md")
    described = page("commands.md").partition(f"## `{name}`\n\n")[2]
    assert described[0].isupper(), "the command's function has no docstring"


@pytest.mark.parametrize("word", [*Reason, *Outcome])
def test_every_reason_and_outcome_is_explained(word):
    assert re.search(rf"^\| `{word.value}` \| .{{10,}} \|$", page("reasons.md"), re.MULTILINE)


def metrics_in_code() -> set[str]:
    """Every text in the code that begins as our metrics do."""
    texts = [
        node.value
        for path in python_files("src/")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return {name for text in texts for name in METRIC.findall(text)} - NOT_METRICS


def test_every_metric_is_explained_and_none_is_made_up():
    in_docs = set(re.findall(r"^\| `(catchall_[a-z0-9_]+)", page("metrics.md"), re.MULTILINE))
    assert in_docs == {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics_in_code()}


def django_addresses() -> set[str]:
    """Every address of the pages and the API, as docs write them."""
    from catchall.web import urls

    def walk(patterns: Sequence[URLPattern | URLResolver], prefix: str) -> set[str]:
        found = set()
        for pattern in patterns:
            here = prefix + str(pattern.pattern)
            found |= walk(pattern.url_patterns, here) if isinstance(pattern, URLResolver) else {here}
        return found

    return {readable(address) for address in walk(urls.urlpatterns, "/")}


def readable(address: str) -> str:
    """`/issues/(?P<issue_id>[0-9a-f]{16})/$` and `/issues/<number:issue_id>/` as `/issues/<issue_id>/`."""
    without_groups = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", address.replace("^", "").removesuffix("$"))
    return re.sub(r"<\w+:(\w+)>", r"<\1>", without_groups)


def test_every_address_is_explained_and_none_is_made_up():
    in_docs = set(re.findall(r"^\| `(/[^` ]*)`", page("addresses.md"), re.MULTILINE))
    assert in_docs == django_addresses() | set(FRONT_ADDRESSES)


def test_an_address_is_written_as_people_write_it():
    assert readable(r"/^issues/(?P<issue_id>[0-9a-f]{16})/events/$") == "/issues/<issue_id>/events/"
    assert readable("/keys/<number:key_id>/rotate/") == "/keys/<key_id>/rotate/"
