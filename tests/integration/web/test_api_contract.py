"""The OpenAPI document says what the API does: every operation, with decent and with hostile parameters."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from catchall.core.errors import StoreBusy

HOSTILE: dict[str, list[str]] = {
    "integer": ["-1", "0", "99999999999999999999999999", "1e9", "abc", "", "%00", "9007199254740992", "٣"],
    "string": ["%00", "a" * 3000, "%ED%A0%80", "' OR 1=1 --", '" AND NEAR(*', "*", "x:%00", ":", "٣", "%F0%9F%92%A9"],
    "boolean": ["maybe", "%00"],
    "array": ["%00", ":", "a:b&tag=" + "&tag=".join("c:d" for _ in range(40)), "a" * 400],
}
BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"{}",
    b'{"a":1}',
    b"\xff\xfe",
    b'{"state":"resolved","state":7}',
    b"[" * 5000,
]


@pytest.fixture(scope="module")
def document(site, token) -> dict[str, Any]:
    with site.client(headers={"Authorization": f"Bearer {token}"}) as client:
        answer = client.get("/api/v1/openapi.json")
        assert answer.status_code == 200
        return answer.json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def decent(site, path: str) -> str:
    """The path with ids of things that exist (or could)."""
    hot = site.services.hot
    issue = hot.issues(_any(), sort="last_seen", limit=1)[0][0]
    letters = hot.dead_letters(state="waiting", limit=1)
    return path.format(
        project_id=issue.project_id,
        key_id=hot.keys(issue.project_id)[0].key_id,
        issue_id=issue.issue_id,
        event_id=issue.last_event_id,
        index=0,
        dead_letter_id=letters[0].dead_letter_id if letters else 1,
    )


def _any():
    from catchall.store.base import IssueFilter

    return IssueFilter()


def kind_of(schema: dict[str, Any]) -> str:
    found = schema.get("type") or next(
        (one["type"] for one in schema.get("anyOf", []) if one.get("type") not in (None, "null")), "string"
    )
    return str(found)


def test_no_path_collides_with_intake(document):
    for path, _, _ in operations(document):
        assert path.startswith("/api/v1/")


def test_references_lead_somewhere(document):
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}:
        assert name in document["components"]["schemas"], name


def test_every_operation_says_what_it_answers_and_how_it_fails(document):
    found = list(operations(document))
    assert len(found) >= 25
    for path, method, operation in found:
        assert operation["summary"], path
        answers = operation["responses"]
        assert {"401", "403", "422", "503"} <= set(answers), (path, method)
        good = [status for status in answers if status.startswith("2")]
        assert len(good) == 1, (path, method)
        for status in set(answers) - set(good):
            assert "application/problem+json" in answers[status]["content"]
        if "{" in path:
            assert "404" in answers, path


def test_every_parameter_is_bounded(document):
    for path, method, operation in operations(document):
        for one in operation["parameters"]:
            schema = one["schema"]
            parts = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
            for found in parts:
                named = found.get("$ref", "").rsplit("/", 1)[-1]
                part = document["components"]["schemas"][named] if named else found
                bounded = {"enum", "const", "maxLength", "pattern", "format", "maxItems"}
                if part["type"] in ("integer", "number"):
                    bounded = {"maximum", "exclusiveMaximum"}
                assert part["type"] == "boolean" or bounded & set(part), (path, method, one["name"])


def test_nothing_is_answered_to_nobody(site, document, nobody):
    for path, method, _ in operations(document):
        answer = nobody.request(method.upper(), decent(site, path), content=b"{}")
        assert answer.status_code == 401, (path, method)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        wrong = nobody.request(method.upper(), decent(site, path), headers={"Authorization": "Bearer ca_wrong"})
        assert wrong.status_code == 401


def test_a_session_reads_but_changes_nothing_without_a_csrf_header(site, document, ada):
    for path, method, _ in operations(document):
        if method != "get":
            answer = ada.request(method.upper(), decent(site, path), content=b"{}")
            assert answer.status_code == 403, (path, method)
    assert ada.get("/api/v1/projects").status_code == 200


def test_hostile_parameters_get_documented_answers(site, document, api):
    tried = 0
    for path, method, operation in operations(document):
        if method != "get":
            continue
        for one in operation["parameters"]:
            for value in HOSTILE.get(kind_of(one["schema"]), HOSTILE["string"]):
                address = decent(
                    site, path.replace("{" + one["name"] + "}", value or "-") if one["in"] == "path" else path
                )
                if one["in"] == "query":
                    needed = "&".join(f"{name}={good}" for name, good in _needed(operation, one["name"]))
                    address = f"{address}?{needed}&{one['name']}={value}"
                answer = api.get("http://localhost" + address)
                tried += 1
                assert str(answer.status_code) in operation["responses"] or answer.status_code == 404, (
                    address,
                    answer.text,
                )
                assert answer.status_code != 500, address
    assert tried > 300


def _needed(operation: dict[str, Any], but: str) -> Iterator[tuple[str, str]]:
    good = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "key": "os"}
    for one in operation["parameters"]:
        if one.get("required") and one["in"] == "query" and one["name"] != but:
            yield one["name"], good[one["name"]]


def test_hostile_bodies_get_documented_answers(site, document, api):
    for path, method, operation in operations(document):
        if method == "get" or "requestBody" not in operation:
            continue
        for body in BODIES:
            address = "http://localhost" + decent(site, path)
            answer = api.request(method.upper(), address, content=body, headers={"Content-Type": "application/json"})
            if body == b"{}" and answer.status_code in (200, 201):
                continue  # all members of this body may be left out
            assert answer.status_code in (400, 422), (path, body, answer.text)
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["request_id"]


def test_a_wrong_method_is_a_problem_too(document, api):
    answer = api.put("/projects")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST"
    assert answer.json()["status"] == 405


def test_a_busy_store_is_503_with_a_time(site, api, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise StoreBusy("held")

    monkeypatch.setattr(type(site.services.hot), "projects", refuse)
    answer = api.get("/projects")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Content-Type"] == "application/problem+json"
