"""Functions and files stay small enough to be read at one go.

The wall cannot be passed. Between the rule and the wall stands only what sizes.toml names, and its numbers may only
shrink: when something listed gets shorter, the list must follow.
"""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.sources import CODE_FOLDERS, ROOT, python_files, text_of, tree_of

FUNCTION_LINES_RULE, FUNCTION_LINES_WALL = 40, 70
FILE_LINES_RULE, FILE_LINES_WALL = 400, 500
ALLOWED = tomllib.loads((Path(__file__).parent / "sizes.toml").read_text())


def function_sizes(path: Path) -> Iterator[tuple[str, int]]:
    """Name and number of lines of each function, from `def` to its last line."""

    def visit(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
        for child in ast.iter_child_nodes(node):
            name = prefix
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}.{child.name}" if prefix else child.name
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                assert child.end_lineno is not None
                yield f"{path.as_posix()}::{name}", child.end_lineno - child.lineno + 1
            yield from visit(child, name)

    yield from visit(tree_of(path), "")


def all_functions() -> dict[str, int]:
    sizes: dict[str, int] = {}
    for path in python_files(*CODE_FOLDERS):
        for name, lines in function_sizes(path):
            sizes[name] = max(lines, sizes.get(name, 0))
    return sizes


def all_files() -> dict[str, int]:
    return {path.as_posix(): len((text_of(path) or "").splitlines()) for path in python_files(*CODE_FOLDERS)}


def complaints(sizes: dict[str, int], allowed: dict[str, int], rule: int, wall: int) -> list[str]:
    """What breaks the rule, the wall or the ratchet."""
    found = [f"{name}: {lines} lines, the wall is {wall}" for name, lines in sizes.items() if lines > wall]
    for name, lines in sizes.items():
        if rule < lines <= wall and lines > allowed.get(name, 0):
            found.append(f"{name}: {lines} lines, {max(allowed.get(name, 0), rule)} are allowed (sizes.toml)")
    for name, lines in allowed.items():
        now = sizes.get(name, 0)
        if now < lines:
            found.append(f"{name}: now {now} lines, so sizes.toml must say {now if now > rule else 'nothing'}")
    return found


def test_functions_are_small():
    assert complaints(all_functions(), ALLOWED["functions"], FUNCTION_LINES_RULE, FUNCTION_LINES_WALL) == []


def test_files_are_small():
    assert complaints(all_files(), ALLOWED["files"], FILE_LINES_RULE, FILE_LINES_WALL) == []


def test_the_ratchet_complains_about_growth_shrinking_and_the_wall():
    sizes = {"grown": 45, "shrunk": 41, "new": 50, "giant": 71, "fine": 40}
    found = complaints(sizes, {"grown": 44, "shrunk": 60, "gone": 50, "giant": 71}, rule=40, wall=70)
    assert [line.split(":")[0] for line in found] == ["giant", "grown", "new", "shrunk", "gone"]


def test_the_checkout_is_looked_at():
    assert "src/catchall/core/errors.py" in all_files()
    assert (ROOT / "pyproject.toml").is_file()
