"""Words and names that may not stand in the repository."""

import re
from pathlib import Path

import pytest

from tests.tidy.sources import committed_files, text_of

CODE_SUFFIXES = {".py", ".ts", ".js", ".mjs", ".css", ".html", ".sh", ".toml", ".yaml", ".yml", ""}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}

# the words are put together here, so that this file does not hold them
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
STUB = "NotImplemented" + "Error"
SKIPS = re.compile(r"pytest\.mark\.(" + "|".join(["sk" + "ip", "skip" + "if", "x" + "fail"]) + r")\b")
HOSTS = ["pypi" + ".org", "python" + "hosted", "registry.npm" + "js", "artifact" + "registry", "deb." + "debian.org"]
PLACES = ["/wo" + "rk/", "/ro" + "ot/", "../sha" + "red", ".py" + "env"]


def lines_with(pattern: re.Pattern[str], suffixes: set[str] | None = None) -> list[str]:
    """Where a pattern stands: path, line and text."""
    found = []
    for path in committed_files():
        if suffixes is not None and path.suffix not in suffixes:
            continue
        for number, line in enumerate((text_of(path) or "").splitlines(), start=1):
            if pattern.search(line):
                found.append(f"{path}:{number}: {line.strip()[:100]}")
    return found


def test_nothing_is_left_unfinished():
    assert lines_with(UNFINISHED, CODE_SUFFIXES) == []


def test_no_stubs():
    assert lines_with(re.compile(STUB), {".py"}) == []


def test_tests_are_not_switched_off():
    assert lines_with(SKIPS, {".py"}) == []


@pytest.mark.parametrize("word", HOSTS)
def test_no_address_of_a_registry(word):
    assert lines_with(re.compile(re.escape(word))) == []


@pytest.mark.parametrize("word", PLACES)
def test_no_path_of_one_machine(word):
    assert lines_with(re.compile(re.escape(word)), CODE_SUFFIXES | {".md", ".txt", ".json"}) == []


def test_names_of_files_say_what_is_in_them():
    empty = [path for path in committed_files() if EMPTY_NAMES & {part.lower() for part in _names(path)}]
    assert empty == []


def _names(path: Path) -> list[str]:
    return [Path(part).stem for part in path.parts]
