"""What import-linter cannot see: which modules of others the pure folders use, and which package has one door only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.sources import python_files, tree_of

PURE_FOLDERS = ("src/catchall/core/", "src/catchall/wire/", "src/catchall/pipeline/steps/")
# No I/O, no clock, no chance, no thread. `datetime` is here for its types: asking it for the time is banned by ruff.
PURE_MODULES = {
    "__future__",
    "base64",
    "binascii",
    "bisect",
    "collections",
    "collections.abc",
    "contextlib",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fnmatch",
    "functools",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "io",  # buffers; io.open is caught below
    "ipaddress",
    "itertools",
    "json",
    "math",
    "operator",
    "re",  # only on our own texts: see WITH_RE
    "shlex",
    "string",
    "struct",
    "types",
    "typing",
    "unicodedata",
    "urllib.parse",
    "zlib",
    "zoneinfo",
    # of others
    "brotli",
    "google_crc32c",
    "isal",
    "msgspec",
    "re2",
    "ua_parser",
    "zstandard",
}
PURE_OWN = ("catchall.core", "catchall.wire", "catchall.pipeline")
IMPURE_CALLS = {"open", "print", "input", "eval", "exec", "compile", "io.open", "__import__", "breakpoint"}

# What only some folders may import. Everything else goes through them.
DOORS = {
    "django": ("src/catchall/web/", "tools/django_types.py"),
    "jinja2": ("src/catchall/web/",),
    "ninja": ("src/catchall/web/",),
    "rich": ("src/catchall/cli/",),
    "sqlite3": ("src/catchall/store/sqlite/",),
    "typer": ("src/catchall/cli/",),
    "http.client": ("src/catchall/outbound/",),
    "requests": ("src/catchall/outbound/",),
    "httpx": ("src/catchall/outbound/",),
    "smtplib": ("src/catchall/outbound/",),
    "urllib.request": ("src/catchall/outbound/",),
}
# `re` takes exponential time on hostile input: user text goes through re2. These run it on our own texts only.
WITH_RE: tuple[str, ...] = ()


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, also inside functions, with the line."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module, node.lineno
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def belongs(module: str, allowed: str) -> bool:
    """Whether a module is one, or lies in it."""
    return module == allowed or module.startswith(f"{allowed}.")


def is_pure(module: str) -> bool:
    """Whether a pure folder may import a module, or a name from it."""
    return any(belongs(module, allowed) for allowed in (*PURE_MODULES, *PURE_OWN)) or module in {"urllib", "catchall"}


def test_pure_folders_import_only_what_is_listed():
    found = [
        f"{path}:{line}: {name}"
        for path in python_files(*PURE_FOLDERS)
        for name, line in imported(path)
        if not is_pure(name)
    ]
    assert found == []


def test_pure_folders_open_and_run_nothing():
    found = [
        f"{path}:{node.lineno}: {ast.unparse(node.func)}()"
        for path in python_files(*PURE_FOLDERS)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in IMPURE_CALLS
    ]
    assert found == []


@pytest.mark.parametrize("module", sorted(DOORS))
def test_one_door(module):
    found = [
        f"{path}:{line}: {name}"
        for path in python_files("src/")
        for name, line in imported(path)
        if belongs(name, module) and not path.as_posix().startswith(DOORS[module])
    ]
    assert found == []


def test_user_text_meets_no_backtracking_patterns():
    found = {path.as_posix() for path in python_files("src/") for name, _ in imported(path) if name == "re"}
    assert found == set(WITH_RE)


def test_no_imports_by_name_of_the_parent():
    relative = [
        f"{path}:{node.lineno}"
        for path in python_files("src/")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []
