"""The tools of the repository do what CONTRIBUTING.md says of them."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile

import pytest

from tests.tidy.sources import ROOT
from tools import browser, pages, setup


def test_pages_are_stale_when_a_source_changes_and_not_before(tmp_path):
    assert not pages.is_stale(tmp_path), "without frontend/ there is nothing to build"
    source = tmp_path / "frontend/src/app.ts"
    source.parent.mkdir(parents=True)
    source.write_text("one")
    (tmp_path / "frontend/package.json").write_text("{}")
    assert pages.is_stale(tmp_path)

    output = tmp_path / pages.OUTPUT
    output.mkdir(parents=True)
    (output / pages.STAMP_NAME).write_text(pages.source_digest(tmp_path))
    assert not pages.is_stale(tmp_path)
    (tmp_path / "frontend/node_modules").mkdir()
    (tmp_path / "frontend/node_modules/package.js").write_text("installed")
    assert not pages.is_stale(tmp_path)

    source.write_text("two")
    assert pages.is_stale(tmp_path)


def test_a_browser_that_was_wished_for_and_is_missing_is_an_error(monkeypatch):
    monkeypatch.setenv("CATCHALL_BROWSER", "no-such-browser")
    with pytest.raises(FileNotFoundError, match="CATCHALL_BROWSER=no-such-browser"):
        browser.find_browser()


def test_the_browser_that_was_wished_for_comes_first(monkeypatch):
    monkeypatch.setenv("CATCHALL_BROWSER", sys.executable)
    assert str(browser.find_browser()) == sys.executable


@pytest.mark.parametrize(
    ("program", "fault"),
    [
        (None, ""),
        ("#!/bin/sh\necho v24\n", ""),
        ("#!/bin/sh\necho 'libatomic.so.1: no such file' >&2\nexit 127\n", "libatomic.so.1: no such file"),
        ("#!/bin/sh\nexit 3\n", "it ended with 3"),
        ("#!/no/such/interpreter\n", "No such file"),
    ],
)
def test_a_browser_driver_that_does_not_start_says_why(tmp_path, program, fault):
    if program is not None:
        path = tmp_path / "playwright/driver/node"
        path.parent.mkdir(parents=True)
        path.write_text(program)
        path.chmod(0o755)
    found = browser.driver_fault(tmp_path)
    assert fault in found
    assert bool(found) == bool(fault)


def test_the_distributions_python_is_taken_for_a_slow_one_unless_somebody_chose(monkeypatch, tmp_path):
    answers = tmp_path / "python3"
    answers.write_text(f"#!/bin/sh\necho {sys.version_info.major} {sys.version_info.minor}\n")
    answers.chmod(0o755)
    monkeypatch.delenv(setup.PYTHON_CHOSEN, raising=False)
    monkeypatch.setattr(setup, "DISTRIBUTION_PYTHON", answers)
    monkeypatch.setattr(sys, "base_prefix", "/opt/python")
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: "'--enable-shared'")
    assert setup.base_python() == str(answers)
    monkeypatch.setenv(setup.PYTHON_CHOSEN, "yes")
    assert setup.base_python() == sys.executable
    monkeypatch.delenv(setup.PYTHON_CHOSEN)
    answers.write_text("#!/bin/sh\necho 3 9\n")
    assert setup.base_python() == sys.executable
    answers.unlink()
    assert setup.base_python() == sys.executable
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: "'--enable-optimizations'")
    assert setup.base_python() == sys.executable


@pytest.mark.parametrize(
    ("ci", "expected"), [("true", {"passed": "1", "failed": "1"}), ("", {"passed": "1", "skipped": "1"})]
)
def test_on_ci_a_skipped_test_has_failed(tmp_path, ci, expected):
    shutil.copy(ROOT / "tests/conftest.py", tmp_path)
    (tmp_path / "test_inner.py").write_text(
        "import pytest\n\ndef test_missing():\n    pytest.skip('no such part')\n\ndef test_fine():\n    pass\n"
    )
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-ra",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    answer = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    last_line = answer.stdout.splitlines()[-1]
    assert {word: count for count, word in re.findall(r"(\d+) (passed|failed|skipped)", last_line)} == expected
    assert "no such part" in answer.stdout


def test_every_dependency_is_pinned_with_hashes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = {re.split(r"[\[<>=]", one)[0] for one in project["project"]["dependencies"]}
    pins = (ROOT / "requirements/run.txt").read_text()
    assert named <= set(re.findall(r"^([a-z0-9-]+)(?:\[[a-z]+\])?==", pins, re.MULTILINE))
    for file in (ROOT / "requirements").glob("*.txt"):
        for pin in re.split(r"\n(?=\S)", file.read_text()):
            assert pin.startswith("#") or "--hash=sha256:" in pin, f"{file.name}: {pin}"


def test_the_wheel_holds_the_pages_and_no_tests(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120, check=True)
    (wheel,) = tmp_path.glob("catchall-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for needed in ("py.typed", "web/static/assets.json", "web/people/migrations/__init__.py"):
        assert f"catchall/{needed}" in names
    assert any(re.fullmatch(r"catchall/web/static/app-\w+\.js", name) for name in names)
    assert any(name.startswith("catchall/web/templates/") for name in names)
    assert any(name.endswith(".sql") for name in names)
    assert not [name for name in names if not name.startswith(("catchall/", "catchall-"))]
