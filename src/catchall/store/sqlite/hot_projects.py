"""Projects and their keys."""

import sqlite3
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from catchall.core.errors import StoreError
from catchall.core.limits import KEYS_PER_PROJECT_MAX, PROJECTS_MAX
from catchall.core.times import rfc3339
from catchall.store.base import Project, ProjectKey
from catchall.store.hot_fields import KEY_FIELDS, PROJECT_FIELDS, check_fields, check_key
from catchall.store.sqlite.hot_ledger import add_to_counter
from catchall.store.sqlite.hot_lookup import fitting

_PROJECT: Final = (
    "SELECT project_id, name, slug, created_at, platform, retention_days, rate_limit_per_minute, keep_user_ids,"
    " keep_addresses, first_event_at FROM project"
)
_KEY: Final = (
    "SELECT key_id, project_id, key, label, created_at, disabled, origins, rate_limit_per_minute, urgent"
    " FROM project_key"
)


def create_project(
    connection: sqlite3.Connection, name: str, *, slug: str, key: str, now: int, platform: str
) -> tuple[Project, ProjectKey]:
    """Inside a transaction: a project with its first key."""
    if connection.execute("SELECT count(*) FROM project").fetchone()[0] >= PROJECTS_MAX:
        raise StoreError(f"there are {PROJECTS_MAX} projects, the most that an installation holds")
    check_fields({"name": name, "slug": slug, "platform": platform}, PROJECT_FIELDS, "project")
    try:
        cursor = connection.execute(
            "INSERT INTO project (name, slug, platform, created_at) VALUES (?, ?, ?, ?)", (name, slug, platform, now)
        )
    except sqlite3.IntegrityError as error:
        raise StoreError(f"there is a project with the slug {slug} already") from error
    assert cursor.lastrowid is not None
    made = create_key(connection, cursor.lastrowid, key=key, label="", now=now)
    return _one_project(connection, cursor.lastrowid), made


def projects(connection: sqlite3.Connection) -> list[Project]:
    """All projects, oldest first."""
    return [_project(row) for row in connection.execute(f"{_PROJECT} ORDER BY project_id")]


def update_project(connection: sqlite3.Connection, project_id: int, changes: Mapping[str, object]) -> Project:
    """Inside a transaction: change fields of a project."""
    check_fields(changes, PROJECT_FIELDS, "project")
    try:
        _update(connection, ("project", "project_id", project_id), changes)
    except sqlite3.IntegrityError as error:
        raise StoreError(f"there is a project with the slug {changes.get('slug')} already") from error
    return _one_project(connection, project_id)


def keys(connection: sqlite3.Connection, project_id: int | None) -> list[ProjectKey]:
    """Keys of a project, or of all, oldest first."""
    sql = f"{_KEY} WHERE ?1 IS NULL OR project_id = ?1 ORDER BY key_id"
    return [_key(row) for row in connection.execute(sql, (project_id,))]


def create_key(connection: sqlite3.Connection, project_id: int, *, key: str, label: str, now: int) -> ProjectKey:
    """Inside a transaction: one more key of a project."""
    check_key(key)
    check_fields({"label": label}, KEY_FIELDS, "key")
    _one_project(connection, project_id)
    sql = "SELECT count(*) FROM project_key WHERE project_id = ?"
    if connection.execute(sql, (project_id,)).fetchone()[0] >= KEYS_PER_PROJECT_MAX:
        raise StoreError(f"project {project_id} has {KEYS_PER_PROJECT_MAX} keys, the most that one may have")
    try:
        cursor = connection.execute(
            "INSERT INTO project_key (project_id, key, label, created_at) VALUES (?, ?, ?, ?)",
            (project_id, key, label, now),
        )
    except sqlite3.IntegrityError as error:
        raise StoreError("there is this key already") from error
    add_to_counter(connection, "keys_version", 1)
    assert cursor.lastrowid is not None
    return _one_key(connection, cursor.lastrowid)


def update_key(connection: sqlite3.Connection, key_id: int, changes: Mapping[str, object]) -> ProjectKey:
    """Inside a transaction: change fields of a key."""
    check_fields(changes, KEY_FIELDS, "key")
    _update(connection, ("project_key", "key_id", key_id), changes)
    return _one_key(connection, key_id)


def _update(connection: sqlite3.Connection, where: tuple[str, str, int], changes: Mapping[str, object]) -> None:
    table, column, number = where
    if changes:
        assignments = ", ".join(f"{name} = ?" for name in changes)
        sql = f"UPDATE {table} SET {assignments} WHERE {column} = ?"  # noqa: S608 - fields that were checked
        values = [msgspec.json.encode(one).decode() if isinstance(one, list) else one for one in changes.values()]
        connection.execute(sql, (*values, fitting(number)))
        add_to_counter(connection, "keys_version", 1)


def _one_project(connection: sqlite3.Connection, project_id: int) -> Project:
    row = connection.execute(f"{_PROJECT} WHERE project_id = ?", (fitting(project_id),)).fetchone()
    if row is None:
        raise StoreError(f"there is no project {project_id}")
    return _project(row)


def _one_key(connection: sqlite3.Connection, key_id: int) -> ProjectKey:
    row = connection.execute(f"{_KEY} WHERE key_id = ?", (fitting(key_id),)).fetchone()
    if row is None:
        raise StoreError(f"there is no key {key_id}")
    return _key(row)


def _project(row: tuple[Any, ...]) -> Project:
    return Project(
        project_id=row[0],
        name=row[1],
        slug=row[2],
        created_at=rfc3339(row[3]),
        platform=row[4],
        retention_days=row[5],
        rate_limit_per_minute=row[6],
        keep_user_ids=bool(row[7]),
        keep_addresses=bool(row[8]),
        first_event_at="" if row[9] is None else rfc3339(row[9]),
    )


def _key(row: tuple[Any, ...]) -> ProjectKey:
    return ProjectKey(
        key_id=row[0],
        project_id=row[1],
        key=row[2],
        label=row[3],
        created_at=rfc3339(row[4]),
        disabled=bool(row[5]),
        origins=msgspec.json.decode(row[6], type=list[str]),
        rate_limit_per_minute=row[7],
        urgent=bool(row[8]),
    )
