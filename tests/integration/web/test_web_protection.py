"""What every answer carries, whatever was asked: ids, headers, escaping, one door."""

import json
import re

import httpx
import pytest
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, get_resolver

from catchall.core.errors import StoreBusy, StoreError
from catchall.web.middleware import PROTECTION
from tests.integration.web.conftest import post

PAGES = (
    "/issues/",
    "/projects/",
    "/projects/new/",
    "/ledger/",
    "/dead-letters/",
    "/account/",
    "/-/components",
    "/login/",
)


def patterns(
    found: list[URLPattern | URLResolver], inside: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], URLPattern]]:
    flat = []
    for one in found:
        if isinstance(one, URLResolver):
            flat += patterns(one.url_patterns, (*inside, one.namespace or ""))
        else:
            flat.append((inside, one))
    return flat


def test_every_page_names_its_action(site):
    from catchall.web.permissions import Action

    for inside, pattern in patterns(get_resolver().url_patterns):
        if "api" not in inside:
            assert isinstance(getattr(pattern.callback, "catchall_action", None), Action), pattern


def test_few_pages_are_public(site):
    from catchall.web.permissions import Action

    public = {
        pattern.name
        for _, pattern in patterns(get_resolver().url_patterns)
        if getattr(pattern.callback, "catchall_action", None) is Action.PUBLIC
    }
    assert public == {"alive", "ready", "login", "login-link", "logout"}


def test_a_view_that_names_no_action_is_refused(site, ada, monkeypatch):
    from catchall.web.pages import ledger

    monkeypatch.delattr(ledger.show, "catchall_action")
    assert ada.get("/ledger/").status_code == 403


def test_an_api_operation_that_names_nobody_is_closed(site, api):
    from catchall.web.api.access import closed
    from catchall.web.api.application import Api

    assert not bool(closed(HttpRequest()))  # type: ignore[func-returns-value]
    made = Api(urls_namespace="another", auth=closed)
    assert made.auth == [closed]


@pytest.mark.parametrize("path", [*PAGES, "/nothing", "/static/nothing.js", "/api/v1/nothing", "/api/v1/issues"])
def test_every_answer_is_protected(ada, path):
    answer = ada.get(path)
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Cross-Origin-Resource-Policy"):
        assert answer.headers[name] == PROTECTION[name]
    if not path.startswith("/static/"):
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-ID"])


@pytest.mark.parametrize("path", PAGES)
def test_pages_need_no_inline_script_or_style_and_nothing_from_elsewhere(ada, path):
    text = ada.get(path).text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text)


def test_the_policy_allows_nothing_inline():
    policy = PROTECTION["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(nobody):
    for header in nobody.get("/login/").headers.get_list("set-cookie"):
        assert "HttpOnly" in header
        assert "SameSite=Lax" in header


def test_over_https_cookies_are_secure_and_the_browser_is_told(tmp_path):
    """Django is set up once in a process: another address needs another one."""
    import subprocess
    import sys

    code = f"""
from pathlib import Path
from catchall.web.services import WebServices
from catchall.web.application import build
import httpx
app = build(WebServices(hot=None, events=None, blobs=None, data_dir=Path({str(tmp_path)!r}),
    base_url="https://errors.example", secret=bytes(32), status=dict, clock=lambda: 1))
answer = httpx.Client(transport=httpx.WSGITransport(app=app), base_url="https://errors.example").get("/login/")
assert "Secure" in answer.headers["set-cookie"], answer.headers
assert answer.headers["strict-transport-security"] == "max-age=31536000"
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    "path", ["/nothing", "/issues/0000000000000000/", "/projects/none/settings/", "/dead-letters/999999999999999/"]
)
def test_what_is_not_there_is_said_with_an_id(ada, path):
    answer = ada.get(path)
    assert answer.status_code == 404
    assert answer.headers["X-Request-ID"] in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/issues/?"
        + "&".join(f"{name}=%00" for name in ("q", "project", "environment", "state", "sort", "range", "after")),
        "/issues/?since=9999999999999&until=-1&range=5m&sort=;drop&state=%27",
        "/issues/?since=1&until=253402214399",
        "/issues/?q=" + "a%20" * 2000,
        "/issues/?q=%22%20AND%20NEAR(%20*",
        "/issues/?after=garbage",
        "/issues/?after=%00",
        "/issues/live/?seen=99999999999999999999",
        "/issues/live/?seen=-1",
        "/dead-letters/?before=99999999999999999999999&state=none",
        "/dead-letters/99999999999999999999999999/",
        "/projects/importer/setup/?platform=cobol",
        "/issues/%00/",
        "/login/?next=%00",
    ],
)
def test_a_hostile_address_is_no_error_of_ours(ada, path):
    assert ada.get(path).status_code in (200, 302, 404)


def test_an_error_of_ours_shows_an_id_and_logs_it(ada, monkeypatch, caplog):
    from catchall.web.pages import ledger

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr(ledger, "accounts_of", broken)
    answer = ada.get("/ledger/")
    assert answer.status_code == 500
    assert "a secret detail" not in answer.text
    assert answer.headers["X-Request-ID"] in answer.text
    assert any(answer.headers["X-Request-ID"] in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(("error", "status"), [(StoreBusy("held"), 503), (StoreError("no room"), 503)])
def test_a_store_that_is_busy_is_503_and_not_a_crash(ada, monkeypatch, site, error, status):
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(type(site.services.hot), "projects", refuse)
    answer = ada.get("/projects/")
    assert answer.status_code == status
    assert answer.headers["Retry-After"] == "1"


def test_a_form_of_another_site_changes_nothing(ada, site):
    before = site.services.hot.projects()
    assert ada.post("/projects/new/", data={"name": "forged"}).status_code == 403
    sent = {"csrfmiddlewaretoken": "a" * 64, "name": "forged"}
    assert ada.post("/projects/new/", data=sent).status_code == 403
    assert site.services.hot.projects() == before


def test_a_large_form_is_refused(ada):
    answer = post(ada, "/projects/new/", {"name": "x" * 2_000_000})
    assert answer.status_code in (400, 413)


def test_static_files_come_compressed_and_for_ever(nobody):
    page = nobody.get("/login/").text
    path = re.search(r'href="(/static/app-[^"]+\.css)"', page)[1]
    for accepted, encoding in (("br, gzip", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("identity", None)):
        answer = nobody.get(path, headers={"Accept-Encoding": accepted})
        assert answer.headers.get("Content-Encoding") == encoding
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert nobody.head(path).content == b""
    assert nobody.post(path).status_code == 405
    for other in ("/static/../settings.py", "/static/%2e%2e/settings.py", "/static/assets.json", "/static/"):
        assert nobody.get(other).status_code == 404


def test_the_first_page_is_small(ada):
    """Over the wire: the page itself, and what it names."""
    page = ada.get("/issues/", headers={"Accept-Encoding": "gzip"})
    total = len(b"".join(page.iter_raw())) if not page.is_closed else int(page.headers["Content-Length"])
    scripts = 0
    for path in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)):
        size = int(ada.get(path, headers={"Accept-Encoding": "br"}).headers["Content-Length"])
        total += size
        scripts += size if path.endswith(".js") else 0
    assert total <= 100_000
    assert scripts <= 60_000


def hostile(attack: str) -> dict[str, object]:
    """An event in which every text that a client can choose is the attack."""
    frame = {"function": attack, "module": attack, "filename": attack, "lineno": 1, "in_app": True}
    frame |= {"context_line": attack, "pre_context": [attack], "vars": {attack: attack, "deep": [{attack: attack}]}}
    exception = {"type": attack, "value": attack, "module": attack, "mechanism": {"type": attack}}
    crumb = {"category": attack, "message": attack, "data": {attack: attack}, "level": attack}
    request = {"url": "https://x/" + attack, "method": attack, "headers": {attack: attack}, "data": {attack: attack}}
    return {
        "event_id": "e" * 32,
        "platform": attack,
        "level": "error",
        "release": attack[:60],
        "environment": "hostile",
        "server_name": attack,
        "transaction": attack,
        "tags": {"attack": attack, attack[:30]: "x"},
        "exception": {"values": [{**exception, "stacktrace": {"frames": [frame]}}]},
        "breadcrumbs": {"values": [crumb]},
        "request": request,
        "extra": {attack: attack},
        "user": {"id": attack},
        "sdk": {"name": attack, "version": attack},
    }


def test_client_text_is_text_on_every_page(site, ada):
    """A story whose every field is an attack is drawn, not run."""
    from tests.support.filled import add

    attack = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'{{7*7}}"
    event = hostile(attack)
    issue_id = add(site.services.data_dir, "web-shop", event)
    here = f"/issues/{issue_id}/"
    pages = (
        "/issues/?environment=hostile",
        here,
        here + "events/",
        here + "facets/",
        here + f"events/{'e' * 32}/json/",
        "/projects/",
    )
    for path in pages:
        answer = ada.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text, path
        assert "<img src=x" not in answer.text, path
        assert "49" not in re.findall(r"&#39;(\d+)", answer.text), path
    assert "&lt;script&gt;alert" in ada.get(here).text


def test_json_of_an_event_is_never_a_page(site, api):
    answer = api.get("/projects/2/events/" + "e" * 32)
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.content)["event_id"] == "e" * 32


def test_forwarded_addresses_count_for_the_throttle(site):
    """The front process tells who asks; waitress puts it into REMOTE_ADDR."""
    from waitress.proxy_headers import proxy_headers_middleware

    from catchall.web.server import PROXY_HEADERS

    seen = []

    def app(environ, start_response):
        seen.append((environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]))
        start_response("200 OK", [])
        return [b""]

    behind = proxy_headers_middleware(
        app, trusted_proxy="*", trusted_proxy_count=1, trusted_proxy_headers=PROXY_HEADERS
    )
    client = httpx.Client(transport=httpx.WSGITransport(app=behind), base_url="http://x")
    client.get("/", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.1", "X-Forwarded-Proto": "https"})
    assert seen == [("198.51.100.1", "https")]
