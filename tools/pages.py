"""Build the web pages' scripts and styles from frontend/ into src/catchall/web/static/.

Used by tools/setup.py for a checkout and by hatch_build.py for a wheel. What was built is noted in the output folder by
a digest of all sources, so nothing is built twice and nothing stale is shipped.
"""

import hashlib
from pathlib import Path

from tools.node import find_node, install_packages, packages_are_installed

OUTPUT = Path("src/catchall/web/static")
SOURCES = Path("frontend")
STAMP_NAME = ".built-from"
NOT_SOURCES = {"node_modules", "dist"}


def source_digest(root: Path) -> str:
    """A digest over names and bytes of all files in frontend/ but the installed packages."""
    digest = hashlib.sha256()
    sources = root / SOURCES
    for path in sorted(sources.rglob("*")):
        relative = path.relative_to(sources)
        if path.is_file() and NOT_SOURCES.isdisjoint(relative.parts):
            content = path.read_bytes()
            digest.update(f"{relative.as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def is_stale(root: Path) -> bool:
    """Whether frontend/ exists and the output is not what it would build to. Without frontend/ nothing is stale."""
    if not (root / SOURCES / "package.json").is_file():
        return False
    stamp = root / OUTPUT / STAMP_NAME
    return not stamp.is_file() or stamp.read_text() != source_digest(root)


def build(root: Path, site_packages: Path | None = None) -> None:
    """Install the npm packages and run the script `build` of frontend/package.json.

    The digest is taken before and written after the build: if a source changes meanwhile, or the process dies, the
    next call builds again. Raises NodeError.
    """
    node = find_node(site_packages)
    folder = root / SOURCES
    digest = source_digest(root)
    if not packages_are_installed(folder):
        install_packages(folder, node)
    node.run_npm(folder, "run", "--silent", "build")
    (root / OUTPUT).mkdir(parents=True, exist_ok=True)
    (root / OUTPUT / STAMP_NAME).write_text(digest)
