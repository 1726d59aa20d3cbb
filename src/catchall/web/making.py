"""Projects and keys as both the pages and the API make them."""

import secrets
from collections.abc import Mapping

from catchall.core.limits import NAME_CHARS_MAX
from catchall.core.slug import slug_of
from catchall.store.base import Project, ProjectKey
from catchall.web.services import current

KEY_BYTES = 16
PLATFORMS: Mapping[str, str] = {
    "python": "Python",
    "browser": "Browser",
    "node": "Node.js",
    "java": "Java",
    "go": "Go",
}
NO_SIGNS = str.maketrans("", "", "-.:[]")


def dsn(key: ProjectKey) -> str:
    """What a client is configured with: https://KEY@HOST/PROJECT."""
    scheme, _, host = current().base_url.partition("://")
    return f"{scheme}://{key.key}@{host}/{key.project_id}"


def new_key() -> str:
    """32 random hex digits."""
    return secrets.token_hex(KEY_BYTES)


def make_project(name: str, platform: str) -> tuple[Project, ProjectKey]:
    """Store a new project with a key. Raises StoreError."""
    hot = current().hot
    slug = slug_of(name, {project.slug for project in hot.projects()})
    return hot.create_project(name, slug=slug, key=new_key(), now=current().clock(), platform=platform)


def is_origin(text: str) -> bool:
    """Whether a text is what intake understands as an allowed origin: a host, perhaps with a scheme and a port."""
    if text in ("*", "null"):
        return True
    scheme, found, rest = text.partition("://")
    if found and not (scheme.isascii() and scheme.isalnum()):
        return False
    host = (rest if found else text).removeprefix("*.")
    letters = host.translate(NO_SIGNS)
    return letters.isascii() and letters.isalnum() and len(text) <= NAME_CHARS_MAX
