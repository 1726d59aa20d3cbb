"""Projects and keys in the hot tables: the same for every store."""

from pathlib import Path

import pytest

from catchall.core.errors import StoreError
from catchall.core.times import MICROSECONDS, rfc3339
from tests.unit.store_hot.batches import BACKENDS, START, key_of, make_projects, opened

NOW = START * MICROSECONDS


@pytest.fixture(params=BACKENDS)
def hot(request, tmp_path: Path):
    with opened(request.param, tmp_path) as made:
        yield made


def test_a_project_comes_with_its_key(hot):
    project, key = hot.create_project("Shop", slug="shop", key=key_of(7), now=NOW, platform="python")
    assert (project.project_id, project.name, project.slug, project.platform) == (1, "Shop", "shop", "python")
    assert project.created_at == rfc3339(NOW)
    assert (key.key_id, key.project_id, key.key, key.disabled, key.origins) == (1, 1, key_of(7), False, [])
    assert hot.projects() == [project]
    assert hot.keys() == hot.keys(1) == [key]
    assert hot.keys(2) == []


def test_ids_are_small_and_grow(hot):
    make_projects(hot, 3)
    assert [project.project_id for project in hot.projects()] == [1, 2, 3]


def test_a_slug_is_unique(hot):
    make_projects(hot)
    with pytest.raises(StoreError, match="project-1"):
        hot.create_project("Again", slug="project-1", key=key_of(9), now=NOW)
    with pytest.raises(StoreError, match="project-1"):
        hot.update_project(2, {"slug": "project-1"})
    assert hot.update_project(1, {"slug": "project-1", "name": "Same slug"}).name == "Same slug"
    assert len(hot.projects()) == 2
    assert len(hot.keys()) == 2


def test_a_key_is_unique_and_hex(hot):
    make_projects(hot, 1)
    for key in (key_of(1), "g" * 32, "A" * 32, "1" * 31, ""):
        with pytest.raises(StoreError):
            hot.create_key(1, key=key, label="", now=NOW)
        with pytest.raises(StoreError):
            hot.create_project("Other", slug="other", key=key, now=NOW)
    assert len(hot.projects()) == len(hot.keys()) == 1


def test_every_change_shows_in_the_version(hot):
    versions = [hot.keys_version()]
    hot.create_project("Shop", slug="shop", key=key_of(7), now=NOW)
    versions.append(hot.keys_version())
    hot.create_key(1, key=key_of(8), label="front end", now=NOW)
    versions.append(hot.keys_version())
    hot.update_key(2, {"disabled": True})
    versions.append(hot.keys_version())
    hot.update_project(1, {"rate_limit_per_minute": 5})
    versions.append(hot.keys_version())
    assert versions == sorted(set(versions))
    hot.projects()
    hot.update_project(1, {})
    with pytest.raises(StoreError):
        hot.update_key(2, {"disabled": "yes"})
    assert hot.keys_version() == versions[-1]


def test_all_that_can_be_changed(hot):
    make_projects(hot)
    changes = {
        "name": "Été",
        "slug": "ete",
        "platform": "javascript",
        "retention_days": 7,
        "rate_limit_per_minute": 100,
        "keep_user_ids": True,
        "keep_addresses": True,
    }
    changed = hot.update_project(2, changes)
    assert {name: getattr(changed, name) for name in changes} == changes
    assert hot.projects()[1] == changed
    changes = {
        "label": "front end",
        "disabled": True,
        "origins": ["https://shop.example", "*.example.com"],
        "rate_limit_per_minute": 3,
        "urgent": True,
    }
    key = hot.update_key(2, changes)
    assert {name: getattr(key, name) for name in changes} == changes
    assert hot.keys(2) == [key]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"project_id": 9}, "project_id"),
        ({"first_event_at": ""}, "first_event_at"),
        ({"name": "x", "slug = 'x' --": "y"}, "slug = "),
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": "n" * 201}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": None}, "name"),
        ({"retention_days": -1}, "retention_days"),
        ({"retention_days": 2**31}, "retention_days"),
        ({"retention_days": True}, "retention_days"),
        ({"keep_user_ids": 1}, "keep_user_ids"),
    ],
)
def test_changes_of_a_project_that_are_refused(hot, changes, word):
    make_projects(hot, 1)
    before = hot.projects()
    with pytest.raises(StoreError, match=word):
        hot.update_project(1, changes)
    assert hot.projects() == before


@pytest.mark.parametrize(
    "changes",
    [{"key": key_of(5)}, {"origins": "*"}, {"origins": [1]}, {"origins": ["o"] * 51}, {"origins": ["o" * 201]}],
)
def test_changes_of_a_key_that_are_refused(hot, changes):
    make_projects(hot, 1)
    before = hot.keys()
    with pytest.raises(StoreError, match=next(iter(changes))):
        hot.update_key(1, changes)
    assert hot.keys() == before


@pytest.mark.parametrize("number", [2, 0, -1, 2**70])
def test_what_is_not_there_cannot_be_changed(hot, number):
    make_projects(hot, 1)
    for change in (
        lambda: hot.update_project(number, {"name": "x"}),
        lambda: hot.update_key(number, {"label": "x"}),
        lambda: hot.create_key(number, key=key_of(3), label="", now=NOW),
    ):
        with pytest.raises(StoreError):
            change()
    assert len(hot.keys()) == 1


def test_bounds(hot, monkeypatch):
    make_projects(hot, 1)
    for number in range(2, 101):
        hot.create_key(1, key=key_of(number), label="", now=NOW)
    with pytest.raises(StoreError, match="keys"):
        hot.create_key(1, key=key_of(101), label="", now=NOW)
