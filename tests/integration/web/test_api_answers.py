"""What the API answers, read back through the model's own types."""

import msgspec
import pytest

from catchall.core.event import Event
from catchall.core.issue import Issue, IssueTransition
from catchall.web.api import models

E1 = "0" * 32


def read(answer, struct, status=200):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    return msgspec.json.decode(answer.content, type=struct)


def one_issue(api, words: str) -> Issue:
    return read(api.get("/issues", params={"query": words}), models.IssuePage).issues[0]


def test_issues_are_filtered_and_sorted(api):
    everything = read(api.get("/issues"), models.IssuePage).issues
    assert len(everything) >= 10
    assert [one.last_seen for one in everything] == sorted((one.last_seen for one in everything), reverse=True)
    by_events = read(api.get("/issues", params={"sort": "events"}), models.IssuePage).issues
    assert [one.events for one in by_events] == sorted((one.events for one in by_events), reverse=True)
    only = read(api.get("/issues", params={"project_id": 3}), models.IssuePage).issues
    assert {one.project_id for one in only} == {3}
    fatal = read(api.get("/issues", params={"severity": "critical"}), models.IssuePage).issues
    assert {one.error_type for one in fatal} == {"OperationalError", "MemoryError"}
    assert one_issue(api, "charge").error_type == "PaymentError"


def test_a_list_is_walked_page_by_page(api):
    everything = [one.issue_id for one in read(api.get("/issues"), models.IssuePage).issues]
    walked, cursor = [], ""
    for _ in range(len(everything) + 1):
        page = read(api.get("/issues", params={"limit": 3, "cursor": cursor}), models.IssuePage)
        walked += [one.issue_id for one in page.issues]
        cursor = page.next
        if not cursor:
            break
    assert walked == everything


def test_a_cursor_of_somebody_else_is_refused(api):
    assert api.get("/issues", params={"cursor": "garbage"}).status_code == 422
    assert api.get("/events", params={"cursor": "garbage"}).status_code == 422


def test_an_event_is_given_exactly_as_it_is_stored(api, site):
    issue = one_issue(api, "charge")
    answer = api.get(f"/projects/{issue.project_id}/events/{issue.last_event_id}")
    assert answer.content == site.services.events.payload(issue.project_id, issue.last_event_id)
    event = read(answer, Event)
    assert event.error_type == "PaymentError"
    assert event.exceptions[0].error_type == "ReadTimeout"
    assert event.issue_id == issue.issue_id


def test_events_as_summaries_and_whole(api):
    issue = one_issue(api, "charge")
    short = read(api.get(f"/issues/{issue.issue_id}/events", params={"limit": 5}), models.EventPage)
    assert len(short.events) == 5
    assert {one.issue_id for one in short.events} == {issue.issue_id}
    whole = read(api.get(f"/issues/{issue.issue_id}/events", params={"limit": 5, "full": True}), models.FullEventPage)
    decoded = [msgspec.json.decode(bytes(one), type=Event) for one in whole.events]
    assert [one.event_id for one in decoded] == [one.event_id for one in short.events]
    second = read(
        api.get(f"/issues/{issue.issue_id}/events", params={"limit": 5, "cursor": short.next}), models.EventPage
    )
    assert not {one.event_id for one in second.events} & {one.event_id for one in short.events}


def test_events_are_found_by_tag_and_word(api):
    found = read(
        api.get("/events", params={"project_id": 1, "tag": ["plan:pro", "payment_provider:acme"]}), models.EventPage
    )
    assert found.events
    assert not read(api.get("/events", params={"tag": ["plan:pro", "plan:free"]}), models.EventPage).events
    assert read(api.get("/events", params={"query": "codec"}), models.EventPage).events[0].project_id == 3
    assert not read(api.get("/events", params={"query": "nosuchwordanywhere"}), models.EventPage).events


def test_facets_count_what_the_list_lists(api):
    issue = one_issue(api, "charge")
    facet = read(api.get("/facets", params={"issue_id": issue.issue_id, "key": "plan"}), models.FacetBody)
    assert {one.value for one in facet.values} == {"free", "pro"}
    assert sum(one.events for one in facet.values) == issue.events
    keys = read(api.get("/facets/keys", params={"issue_id": issue.issue_id}), models.FacetKeys).keys
    assert {"plan", "region", "browser"} <= set(keys)


def test_a_series_adds_up(api):
    issue = one_issue(api, "charge")
    times = {"since": "2020-01-01T00:00:00Z", "until": "2020-01-01T01:00:00Z"}
    empty = read(api.get(f"/issues/{issue.issue_id}/series", params={**times, "step": 900}), models.Series)
    assert [one.events for one in empty.points] == [0, 0, 0, 0]
    span = {"since": issue.first_seen, "until": "2099-01-01T00:00:00+02:00", "step": 30 * 86_400}
    whole = read(api.get(f"/issues/{issue.issue_id}/series", params=span), models.Series)
    assert sum(one.events for one in whole.points) == issue.events
    assert read(api.get("/series", params={**span, "project_id": issue.project_id}), models.Series).points


@pytest.mark.parametrize(
    "params",
    [
        {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        {"since": "1970-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z", "step": 900},
        {"since": "2026-01-01T00:00:00", "until": "2026-01-02T00:00:00"},
        {"since": "yesterday", "until": "today"},
        {"since": "1969-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "step": 1000},
    ],
)
def test_a_series_that_makes_no_sense_is_refused(api, params):
    assert api.get("/series", params=params).status_code == 422


def test_an_issue_changes_its_state_and_keeps_the_fact(api):
    issue = one_issue(api, "division")
    path = f"/issues/{issue.issue_id}"
    made = read(
        api.post(f"{path}/state", json={"state": "resolved", "reason": "fixed in 2.4.1"}), models.TransitionPage
    )
    assert [(one.kind, one.by, one.reason) for one in made.transitions] == [("resolved", "tests", "fixed in 2.4.1")]
    assert read(api.get(path), Issue).state == "resolved"
    assert not read(api.post(f"{path}/state", json={"state": "resolved"}), models.TransitionPage).transitions
    both = {"state": "unresolved", "issue_ids": [issue.issue_id, one_issue(api, "codec").issue_id]}
    again = read(api.post("/issues/state", json=both), models.TransitionPage).transitions
    assert [one.issue_id for one in again] == [issue.issue_id]
    history: list[IssueTransition] = read(api.get(f"{path}/transitions"), models.TransitionPage).transitions
    assert [one.kind for one in history][:3] == ["reopened", "resolved", "new"]


def test_a_bulk_change_with_an_unknown_issue_changes_nothing(api):
    issue = one_issue(api, "division")
    body = {"state": "ignored", "issue_ids": [issue.issue_id, "0000000000000001"]}
    assert api.post("/issues/state", json=body).status_code == 404
    assert read(api.get(f"/issues/{issue.issue_id}"), Issue).state == issue.state


def test_projects_and_keys_are_made_and_restricted(api):
    made = read(api.post("/projects", json={"name": "  Night   jobs ", "platform": "go"}), models.ProjectCreated, 201)
    assert made.project.name == "Night jobs"
    assert made.key.dsn == f"http://{made.key.key}@localhost:8300/{made.project.project_id}"
    path = f"/projects/{made.project.project_id}"
    assert read(api.get(path), type(made.project)) == made.project
    second = read(api.post(f"{path}/keys", json={"label": "cron"}), models.KeyWithDsn, 201)
    changes = {"disabled": True, "origins": ["https://a.example", "*.b.example"], "rate_limit_per_minute": 60}
    changed = read(api.patch(f"{path}/keys/{second.key_id}", json=changes), models.KeyWithDsn)
    assert (changed.disabled, changed.origins, changed.rate_limit_per_minute) == (True, changes["origins"], 60)
    assert len(read(api.get(f"{path}/keys"), models.KeyPage).keys) == 2
    assert api.patch(f"/projects/1/keys/{second.key_id}", json={"disabled": False}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 500},
        {"name": "x", "platform": "cobol"},
        {"name": "x", "unknown": 1},
        {"name": "a\x00b"},
        {"name": 7},
        {},
    ],
)
def test_a_project_that_makes_no_sense_is_refused(api, body):
    assert api.post("/projects", json=body).status_code == 422


@pytest.mark.parametrize("origin", ["", "https://a b", "ftp:/x", "https://x/<script>", "x" * 300, "*.*.", "\x00"])
def test_an_origin_that_is_none_is_refused(api, origin):
    key = read(api.get("/projects/1/keys"), models.KeyPage).keys[0]
    assert api.patch(f"/projects/1/keys/{key.key_id}", json={"origins": [origin]}).status_code == 422


def test_the_ledger_balances(api):
    ledger = read(api.get("/ledger"), models.Ledger)
    assert ledger.balanced
    assert not ledger.differences
    assert ledger.items["seen"] == sum(count for name, count in ledger.items.items() if name not in ("seen", "refused"))


def test_dead_letters_are_listed_shown_replayed_and_discarded(api):
    page = read(api.get("/dead-letters"), models.DeadLetterPage)
    assert len(page.dead_letters) == 3
    first, second, third = page.dead_letters
    assert read(api.get(f"/dead-letters/{first.dead_letter_id}"), models.DeadLetterBody).replayable is True
    data = api.get(f"/dead-letters/{third.dead_letter_id}/data")
    assert data.headers["Content-Disposition"].startswith("attachment")
    assert data.headers["Content-Type"] == "application/octet-stream"
    assert data.content
    older = read(api.get("/dead-letters", params={"limit": 1}), models.DeadLetterPage)
    assert older.next == first.dead_letter_id
    following = read(api.get("/dead-letters", params={"limit": 1, "before": older.next}), models.DeadLetterPage)
    assert following.dead_letters[0].dead_letter_id == second.dead_letter_id
    gone = read(api.post(f"/dead-letters/{first.dead_letter_id}/discard"), models.DeadLetterBody)
    assert gone.state == "discarded"
    assert api.post(f"/dead-letters/{first.dead_letter_id}/discard").status_code == 409
    assert api.post(f"/dead-letters/{first.dead_letter_id}/replay").status_code == 409
    asked = read(api.post(f"/dead-letters/{second.dead_letter_id}/replay"), models.DeadLetterBody)
    assert asked.state == "replaying"


def test_the_schema_of_an_event_is_the_model(api):
    answer = api.get("/schemas/event.json")
    assert answer.headers["Content-Type"] == "application/schema+json"
    schema = answer.json()
    assert schema["$id"].endswith("/api/v1/schemas/event.json")
    assert set(schema["$defs"]["Event"]["properties"]) == {one.name for one in msgspec.structs.fields(Event)}


def test_a_token_says_when_it_was_used_and_dies_when_it_is_removed(site, ada):
    from tests.integration.web.conftest import TOKEN, post

    shown = post(ada, "/account/tokens/", {"name": "deploy"}).text
    secret = shown.split('id="new-token">')[1].split("<")[0]
    assert secret not in ada.get("/account/").text
    with site.client(headers={"Authorization": f"Bearer {secret}"}) as program:
        assert program.get("/api/v1/projects").status_code == 200
        page = ada.get("/account/").text
        assert TOKEN.search(page)
        remove = page.split("/remove/")[0].rsplit('action="', 1)[1] + "/remove/"
        assert post(ada, remove, {}).status_code == 302
        assert program.get("/api/v1/projects").status_code == 401
