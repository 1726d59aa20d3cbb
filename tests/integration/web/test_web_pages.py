"""What the pages show and change, without scripts: each works with plain links and forms."""

import re
from dataclasses import replace

import pytest

from catchall.store.base import IssueFilter
from catchall.web.services import install
from tests.integration.web.conftest import Site, post


def issue_named(site: Site, words: str):
    return site.services.hot.issues(IssueFilter(words=(words,)), sort="last_seen", limit=1)[0][0]


def rows(text: str) -> list[str]:
    return re.findall(r"data-opens-row>.*?<b>(.*?)</b>", text)


def test_a_row_answers_without_a_click(site, ada):
    text = ada.get("/issues/").text
    issue = issue_named(site, "charge")
    row = text.split(f'href="/issues/{issue.issue_id}/"')[1].split("</tr>")[0]
    for fact in (
        issue.error_type,
        issue.message,
        issue.culprit,
        "checkout-api-",
        issue.last_release,
        issue.last_environment,
    ):
        assert fact in row
    assert f"{issue.events}<span" in row
    assert 'role="img" aria-label="' in row


def test_the_address_holds_the_filters(ada):
    everything = rows(ada.get("/issues/").text)
    assert len(everything) >= 10
    only = ada.get("/issues/?project=importer").text
    assert set(rows(only)) == {"UnicodeDecodeError", "MemoryError"}
    assert '<option value="importer" selected>' in only
    assert rows(ada.get("/issues/?q=codec").text) == ["UnicodeDecodeError"]
    assert rows(ada.get("/issues/?severity=info").text) == ["ValidationError"]
    assert "Nothing matches" in ada.get("/issues/?q=nosuchword").text
    by_events = rows(ada.get("/issues/?sort=events").text)
    assert set(by_events) == set(everything)
    assert by_events[0] == "PaymentError"


def test_what_the_address_says_is_kept_in_its_links(ada):
    text = ada.get("/issues/?project=importer&sort=events&range=7d").text
    assert 'href="/issues/?project=importer&amp;state=resolved&amp;sort=events&amp;range=7d"' in text


def test_an_unknown_project_is_not_found(ada):
    assert ada.get("/issues/?project=none").status_code == 404


def test_a_script_gets_the_changing_part_alone_and_after_back_the_whole(ada):
    part = ada.get("/issues/", headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith("<section")
    whole = ada.get("/issues/", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}).text
    assert whole.lstrip().startswith("<!doctype html>")


def test_news_are_counted_from_what_the_page_has_seen(site, ada):
    text = ada.get("/issues/").text
    seen = re.search(r'data-seen="(\d+)"', text)[1]
    assert "new" not in ada.get(f"/issues/live/?seen={seen}").text
    assert "1 new" in ada.get(f"/issues/live/?seen={int(seen) - 1}").text


def test_issues_are_resolved_together_and_put_back(site, ada):
    chosen = [issue_named(site, words) for words in ("chunk", "timeout expired")]
    form = {"state": "resolved", "issue": [one.issue_id for one in chosen], "back": "/issues/?project=web-shop"}
    answer = post(ada, "/issues/state/", form, page="/issues/")
    assert answer.headers["Location"] == "/issues/?project=web-shop"
    assert {site.services.hot.issue(int(one.issue_id, 16)).state for one in chosen} == {"resolved"}
    history = site.services.hot.transitions(int(chosen[0].issue_id, 16), limit=1)[0]
    assert (history.kind, history.by) == ("resolved", "ada@example.org")
    pairs = [f"{one.issue_id}:unresolved" for one in chosen]
    post(ada, "/issues/undo/", {"restore": pairs}, page="/issues/")
    assert {site.services.hot.issue(int(one.issue_id, 16)).state for one in chosen} == {"unresolved"}
    assert site.services.hot.transitions(int(chosen[0].issue_id, 16), limit=1)[0].reason == "undone"


def test_a_script_gets_a_toast_that_can_undo(site, ada):
    issue = issue_named(site, "chunk")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', ada.get("/issues/").text)[1]
    headers = {
        "HX-Request": "true",
        "HX-Target": "issues",
        "X-CSRFToken": token,
        "HX-Current-URL": "http://x/issues/?q=chunk",
    }
    answer = ada.post("/issues/state/", data={"state": "ignored", "issue": issue.issue_id}, headers=headers)
    assert f'name="restore" value="{issue.issue_id}:unresolved"' in answer.text
    assert 'hx-target="#issues"' in answer.text
    assert not rows(answer.text), "the row left the unresolved tab"
    undone = ada.post("/issues/undo/", data={"restore": f"{issue.issue_id}:unresolved"}, headers=headers)
    assert rows(undone.text) == ["ChunkLoadError"]


@pytest.mark.parametrize(
    "form",
    [
        {"state": "burnt", "issue": "0" * 16},
        {"state": "resolved", "issue": ["zz", "0" * 16, "f" * 16, "-1"]},
        {"state": "resolved"},
        {"state": "resolved", "issue": "0" * 16, "back": "https://evil.example/"},
    ],
)
def test_a_form_that_names_nothing_changes_nothing(ada, form):
    answer = post(ada, "/issues/state/", form, page="/issues/")
    assert answer.status_code in (302, 404)
    assert answer.headers.get("Location", "/issues/") == "/issues/"


def test_an_undo_of_nonsense_does_nothing(ada):
    pairs = ["x", ":", "0000:resolved", "0" * 16 + ":burnt", "f" * 16 + ":resolved"]
    assert post(ada, "/issues/undo/", {"restore": pairs}, page="/issues/").status_code == 302


def test_the_issue_page_tells_the_whole_chain(site, ada):
    issue = issue_named(site, "charge")
    text = ada.get(f"/issues/{issue.issue_id}/").text
    top, cause = text.index('id="exception-0"'), text.index('id="exception-1"')
    assert top < cause
    assert "PaymentError" in text[top:cause]
    assert "Caused by" in text[cause:]
    assert "ReadTimeout" in text[cause:]


def test_the_faults_own_frame_is_open_and_library_frames_are_folded(site, ada):
    issue = issue_named(site, "charge")
    text = ada.get(f"/issues/{issue.issue_id}/").text
    cause = text[text.index('id="exception-1"') :]
    opened = re.findall(
        r"<details class=\"frame frame-own\" data-frame open><summary>.*?frame-function\">(\w+)<", text, re.DOTALL
    )
    assert opened == ["pay", "charge"]
    assert "2 library frames" in cause.split("frame-own")[0]
    assert 'class="line line-fault"><span class="line-number">132<' in cause


def test_secrets_are_masked_and_the_page_says_so(site, ada):
    issue = issue_named(site, "charge")
    text = ada.get(f"/issues/{issue.issue_id}/").text
    assert not re.search(r"\b4111\b", text), "the card's first digits; in a time's microseconds they may stand"
    assert "abcdef0123456789" not in text
    assert "What catchall changed" in text
    assert "http_context.headers.Authorization" in text


def test_events_are_walked_from_newest_to_oldest(site, ada):
    issue = issue_named(site, "charge")
    text, visited = ada.get(f"/issues/{issue.issue_id}/").text, [issue.last_event_id]
    while older := re.search(r'href="([^"]+)" aria-label="Older event"', text):
        text = ada.get(older[1]).text
        visited.append(older[1].split("/")[4])
        assert len(visited) <= issue.events
    assert visited[-1] == issue.first_event_id
    assert len(set(visited)) == issue.events
    assert 'aria-label="Older event"' not in text
    assert 'aria-label="Newer event"' in text


def test_an_event_of_another_issue_is_not_shown_as_one_of_this(site, ada):
    one, other = issue_named(site, "charge"), issue_named(site, "codec")
    assert ada.get(f"/issues/{one.issue_id}/events/{other.last_event_id}/").status_code == 404


def test_an_issue_whose_events_are_gone_still_has_its_page(site, ada):
    class Empty:
        def __getattr__(self, name):
            real = getattr(site.services.events, name)
            return (lambda *_: None) if name in ("get", "payload") else real

    install(replace(site.services, events=Empty()))
    issue = issue_named(site, "charge")
    answer = ada.get(f"/issues/{issue.issue_id}/")
    assert answer.status_code == 200
    assert "The events of this issue are gone" in answer.text
    assert ada.get(f"/issues/{issue.issue_id}/events/{issue.last_event_id}/json/").status_code == 404


def test_a_short_address_leads_to_the_issue(site, ada):
    issue = issue_named(site, "codec")
    answer = ada.get(f"/issues/importer-{issue.number}/")
    assert answer.headers["Location"] == f"/issues/{issue.issue_id}/"
    assert ada.get("/issues/importer-999999/").status_code == 404


def test_the_list_of_events_is_narrowed_by_its_links(site, ada):
    issue = issue_named(site, "charge")
    here = f"/issues/{issue.issue_id}/events/"
    assert f"{issue.events} events" in ada.get(here).text
    facets = ada.get(f"/issues/{issue.issue_id}/facets/").text
    link = re.search(r'href="([^"]+tag=plan%3Apro)"', facets)[1].replace("&amp;", "&")
    count = int(re.search(r'share-count">(\d+)<', facets.split("tag=plan%3Apro")[1])[1])
    assert 0 < count < issue.events
    assert f"{count} events with <code>plan:pro</code>" in ada.get(link).text
    assert "No event matches" in ada.get(here + "?q=nosuchword").text


def test_the_json_of_an_event_is_laid_out(site, ada):
    issue = issue_named(site, "charge")
    text = ada.get(f"/issues/{issue.issue_id}/events/{issue.last_event_id}/json/").text
    assert f"&#34;event_id&#34;: &#34;{issue.last_event_id}&#34;" in text


def test_a_project_is_made_set_up_and_waits_for_its_first_event(site, ada):
    answer = post(ada, "/projects/new/", {"name": "Billing", "platform": "java"}, page="/projects/new/")
    assert answer.headers["Location"] == "/projects/billing/setup/"
    text = ada.get("/projects/billing/setup/").text
    project = next(one for one in site.services.hot.projects() if one.slug == "billing")
    key = site.services.hot.keys(project.project_id)[0]
    dsn = f"http://{key.key}@localhost:8300/{project.project_id}"
    assert dsn in text
    assert f"setDsn(&#34;{dsn}&#34;)" in text
    for platform, mark in (
        ("python", "sentry_sdk.init"),
        ("browser", "@sentry/browser"),
        ("node", "@sentry/node"),
        ("go", "sentry.Init"),
    ):
        shown = ada.get(f"/projects/billing/setup/?platform={platform}").text
        assert mark in shown
        assert dsn in shown
    assert "Waiting for the first event" in ada.get("/projects/billing/setup/waiting/").text
    assert "Events arrive" in ada.get("/projects/importer/setup/waiting/").text


@pytest.mark.parametrize("name", ["", "   ", "x" * 300])
def test_a_project_without_a_proper_name_is_not_made(ada, name):
    answer = post(ada, "/projects/new/", {"name": name}, page="/projects/new/")
    assert answer.status_code == 422
    assert "needs a name" in answer.text


def test_two_projects_of_one_name_have_two_addresses(site, ada):
    for expected in ("/projects/twin/setup/", "/projects/twin-2/setup/"):
        assert post(ada, "/projects/new/", {"name": "Twin"}, page="/projects/new/").headers["Location"] == expected


def settings_of(site: Site, slug: str):
    project = next(one for one in site.services.hot.projects() if one.slug == slug)
    return project, site.services.hot.keys(project.project_id)


def test_settings_are_saved(site, ada):
    here = "/projects/mobile-app/settings/"
    form = {
        "name": "Mobile",
        "platform": "browser",
        "rate_limit_per_minute": "120",
        "retention_days": "",
        "keep_addresses": "on",
    }
    assert post(ada, here + "change/", form, page=here).status_code == 302
    project, _ = settings_of(site, "mobile-app")
    assert (project.name, project.rate_limit_per_minute, project.keep_addresses, project.keep_user_ids) == (
        "Mobile", 120, True, False,
    )  # fmt: skip
    assert "Settings saved." in ada.get(here).text


@pytest.mark.parametrize(
    "field", [{"rate_limit_per_minute": "-1"}, {"retention_days": "many"}, {"retention_days": "99999"}]
)
def test_settings_that_make_no_sense_are_refused(ada, field):
    here = "/projects/mobile-app/settings/"
    answer = post(ada, here + "change/", {"name": "Mobile", **field}, page=here)
    assert answer.status_code == 422
    assert "whole number from 0 to" in answer.text


def test_a_key_is_made_restricted_rotated_and_disabled(site, ada):
    here = "/projects/mobile-app/settings/"
    post(ada, "/projects/mobile-app/keys/", {"label": "Android"}, page=here)
    _, keys = settings_of(site, "mobile-app")
    made = keys[-1]
    assert made.label == "Android"
    form = {
        "label": "Android",
        "origins": "https://a.example\n*.b.example",
        "rate_limit_per_minute": "9",
        "enabled": "on",
    }
    assert post(ada, f"/projects/mobile-app/keys/{made.key_id}/", form, page=here).status_code == 302
    post(ada, f"/projects/mobile-app/keys/{made.key_id}/rotate/", {}, page=here)
    _, keys = settings_of(site, "mobile-app")
    old, new = keys[-2:]
    assert new.key != old.key
    assert (new.label, new.origins, new.rate_limit_per_minute) == (old.label, ["https://a.example", "*.b.example"], 9)
    post(ada, f"/projects/mobile-app/keys/{old.key_id}/", {"label": "Android"}, page=here)
    _, keys = settings_of(site, "mobile-app")
    assert keys[-2].disabled
    assert not keys[-1].disabled


def test_a_key_of_another_project_is_out_of_reach(site, ada):
    _, keys = settings_of(site, "importer")
    here = "/projects/mobile-app/settings/"
    assert post(ada, f"/projects/mobile-app/keys/{keys[0].key_id}/", {}, page=here).status_code == 404
    assert not settings_of(site, "importer")[1][0].disabled


@pytest.mark.parametrize(
    "origins", ["https://a b", "javascript:alert(1)", "https://x/path?<script>", "\n".join(f"h{n}" for n in range(60))]
)
def test_origins_that_are_none_are_refused(site, ada, origins):
    _, keys = settings_of(site, "mobile-app")
    here = "/projects/mobile-app/settings/"
    form = {"origins": origins.replace(" ", "/"), "enabled": "on"}
    assert post(ada, f"/projects/mobile-app/keys/{keys[0].key_id}/", form, page=here).status_code == 422


def test_a_project_without_a_working_key_says_so(site, ada):
    project, key = site.services.hot.create_project("Keyless", slug="keyless", key="b" * 32, now=site.services.clock())
    site.services.hot.update_key(key.key_id, {"disabled": True})
    assert "No key is in use" in ada.get("/projects/keyless/setup/").text
    assert project.slug == "keyless"


def test_the_ledger_says_where_everything_went(ada):
    text = ada.get("/ledger/").text
    assert "Balanced." in text
    assert "This is not JSON." in text
    assert "Importer" not in ada.get("/ledger/?project=web-shop").text.split("<main")[1].split("</form>")[1]


def test_a_ledger_that_does_not_balance_is_said_loudly(site, ada):
    status = site.services.status()
    ledger = status["ledger"]
    row = {"project_id": 1, "category": "error", "outcome": "seen", "reason": "", "count": 5}
    broken = {**ledger, "balanced": False, "rows": [*ledger["rows"], row]}
    install(replace(site.services, status=lambda: {**status, "ledger": broken}))
    text = ada.get("/ledger/").text
    assert "Not balanced." in text
    assert '<b class="wrong">5</b>' in text


def test_dead_letters_show_their_bytes_as_text_only(site, ada):
    text = ada.get("/dead-letters/?state=waiting").text + ada.get("/dead-letters/?state=discarded").text
    ids = re.findall(r'href="/dead-letters/(\d+)/"', text)
    assert ids
    for number in ids:
        page = ada.get(f"/dead-letters/{number}/").text
        assert "<script>alert" not in page
        assert "\x1b" not in page


def test_lateness_of_catchall_itself_stands_on_top(site, ada, monkeypatch):
    from catchall.web.drawing import health

    now = site.services.clock() / 1_000_000
    assert health.read({"waiting": 3, "oldest_waiting_at": now - 5}, now).problems == []
    assert "the oldest for 90 s" in health.read({"waiting": 3, "oldest_waiting_at": now - 90}, now).problems[0]
    monkeypatch.setattr(health, "_kept", health._Kept())
    install(replace(site.services, status=lambda: {"problems": ["The disk is <b>full</b>"]}))
    assert "The disk is &lt;b&gt;full&lt;/b&gt;" in ada.get("/issues/").text
    monkeypatch.setattr(health, "_kept", health._Kept())


def test_the_style_page_is_for_development_only(site, ada):
    assert ada.get("/-/components").status_code == 200
    install(replace(site.services, development=False))
    assert ada.get("/-/components").status_code == 404


def test_an_empty_installation_teaches(site, ada, monkeypatch):
    monkeypatch.setattr(type(site.services.hot), "projects", lambda _: [])
    monkeypatch.setattr(type(site.services.hot), "issues", lambda *_, **__: ([], ""))
    assert "Create a project" in ada.get("/issues/").text
    assert "catchall project create" in ada.get("/projects/").text
