"""The files that the tidy tests look at: what is committed or about to be."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# recorded bytes of real clients and other people's data: not ours to tidy
DATA_FOLDERS = ("tests/corpus/", "tests/data/", "tests/wire/corpus/")
CODE_FOLDERS = ("src/", "tools/", "bench/", "tests/", "sdk/", "hatch_build.py")


# what .gitignore leaves out, for a copy of the checkout without git
NOT_COMMITTED = {".git", ".venv", ".tools", ".stamps", "data", "dist", "build", "node_modules", "__pycache__", "static"}
NOT_COMMITTED |= {".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", ".hypothesis", "test-results"}


@cache
def committed_files() -> tuple[Path, ...]:
    """All files that git knows or would take, data apart, relative to the checkout."""
    names = sorted(name for name in set(_listed_by_git() or _walked()) if not name.startswith(DATA_FOLDERS))
    return tuple(Path(name) for name in names if (ROOT / name).is_file())


def _listed_by_git() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return []


def _walked() -> list[str]:
    relative = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
    return [path.as_posix() for path in relative if NOT_COMMITTED.isdisjoint(path.parts)]


def python_files(*folders: str) -> list[Path]:
    """The committed Python files below some folders."""
    return [path for path in committed_files() if path.suffix == ".py" and path.as_posix().startswith(folders)]


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse((ROOT / path).read_bytes(), filename=str(path))


def text_of(path: Path) -> str | None:
    """The text of a file, or None if it is not text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
