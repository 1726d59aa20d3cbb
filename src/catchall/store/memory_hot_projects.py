"""Projects and keys of the hot tables in memory."""

from collections.abc import Mapping

from msgspec.structs import replace

from catchall.core import limits
from catchall.core.errors import StoreError
from catchall.core.times import rfc3339
from catchall.store.base import EventRow, Project, ProjectKey
from catchall.store.hot_fields import KEY_FIELDS, PROJECT_FIELDS, check_fields, check_key


class MemoryProjects:
    """Projects and keys; `version` grows with each change."""

    def __init__(self) -> None:
        self.version = 1
        self._projects: dict[int, Project] = {}
        self._keys: dict[int, ProjectKey] = {}

    def create_project(self, name: str, *, slug: str, key: str, now: int, platform: str) -> tuple[Project, ProjectKey]:
        """A project with its first key."""
        if len(self._projects) >= limits.PROJECTS_MAX:
            raise StoreError("there are too many projects")
        values = {"name": name, "slug": slug, "platform": platform}
        check_fields(values, PROJECT_FIELDS, "project")
        self._check_slug(slug, 0)
        self._check_key(key)
        project_id = len(self._projects) + 1
        project = Project(project_id=project_id, name=name, slug=slug, platform=platform, created_at=rfc3339(now))
        self._projects[project_id] = project
        return replace(project), self.create_key(project_id, key=key, label="", now=now)

    def projects(self) -> list[Project]:
        """All projects."""
        return [replace(project) for project in self._projects.values()]

    def project(self, project_id: int) -> Project:
        """One project. Raises StoreError when there is none."""
        if project_id not in self._projects:
            raise StoreError(f"there is no project {project_id}")
        return self._projects[project_id]

    def update_project(self, project_id: int, changes: Mapping[str, object]) -> Project:
        """Change fields of a project."""
        check_fields(changes, PROJECT_FIELDS, "project")
        project = self.project(project_id)
        self._check_slug(changes.get("slug"), project_id)
        self._projects[project_id] = replace(project, **changes)
        self.version += bool(changes)
        return replace(self._projects[project_id])

    def event_arrived(self, row: EventRow) -> None:
        """Keep when the first event came."""
        project = self.project(row.project_id)
        if not project.first_event_at:
            project.first_event_at = rfc3339(row.received_at)

    def keys(self, project_id: int | None) -> list[ProjectKey]:
        """Keys of a project, or of all."""
        return [replace(key) for key in self._keys.values() if project_id in {None, key.project_id}]

    def create_key(self, project_id: int, *, key: str, label: str, now: int) -> ProjectKey:
        """One more key."""
        self._check_key(key)
        self.project(project_id)
        check_fields({"label": label}, KEY_FIELDS, "key")
        if len(self.keys(project_id)) >= limits.KEYS_PER_PROJECT_MAX:
            raise StoreError(f"project {project_id} has too many keys")
        key_id = len(self._keys) + 1
        made = ProjectKey(key_id=key_id, project_id=project_id, key=key, label=label, created_at=rfc3339(now))
        self._keys[key_id] = made
        self.version += 1
        return replace(made)

    def update_key(self, key_id: int, changes: Mapping[str, object]) -> ProjectKey:
        """Change fields of a key."""
        check_fields(changes, KEY_FIELDS, "key")
        if key_id not in self._keys:
            raise StoreError(f"there is no key {key_id}")
        self._keys[key_id] = replace(self._keys[key_id], **changes)
        self.version += bool(changes)
        return replace(self._keys[key_id])

    def _check_slug(self, slug: object, of_project: int) -> None:
        if any(project.slug == slug and project.project_id != of_project for project in self._projects.values()):
            raise StoreError(f"there is a project with the slug {slug} already")

    def _check_key(self, key: str) -> None:
        check_key(key)
        if any(known.key == key for known in self._keys.values()):
            raise StoreError("there is this key already")
