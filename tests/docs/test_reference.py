"""What people and scripts rely on is in the docs: settings, commands, reasons, metrics, addresses."""

import ast
import re
import subprocess
import sys
from dataclasses import fields

import pytest

from catchall.config import Settings
from catchall.core.errors import Reason
from catchall.core.ledger import Outcome
from tests.tidy.sources import ROOT, python_files, tree_of
from tools import reference
from tools.addresses import readable

DOCS = ROOT / "docs/reference"
# cookies and names of attributes, which begin as metrics do
NOT_METRICS = {"catchall_action", "catchall_csrf", "catchall_session", "catchall_theme"}
METRIC = re.compile(r"\bcatchall_[a-z0-9_]+[a-z0-9]\b")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_the_pages_are_what_the_code_says():
    # in a process of its own, because Django can be set up only once in each
    command = [sys.executable, "-m", "tools.reference", "--check"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (answer.stdout.split(), answer.stderr, answer.returncode) == ([], "", 0), "run: make docs"


@pytest.mark.parametrize("name", [entry.name for entry in fields(Settings)])
def test_every_setting_is_described(name):
    assert re.search(
        rf"^\| `{name}` \| `CATCHALL_{name.upper()}` \| .* \| .{{10,}} \|$", page("settings.md"), re.MULTILINE
    )


@pytest.mark.parametrize("name", [name for name, _ in reference.commands()])
def test_every_command_is_described(name):
    described = page("commands.md").partition(f"## `{name}`\n\n")[2]
    assert described[:1].isupper(), "the command's function has no docstring"


@pytest.mark.parametrize("word", [*Reason, *Outcome])
def test_every_reason_and_outcome_is_explained(word):
    assert re.search(rf"^\| `{word.value}` \| .{{10,}} \|$", page("reasons.md"), re.MULTILINE)


def metrics_in_code() -> set[str]:
    """Every text in the code that begins as our metrics do."""
    texts = [
        node.value
        for path in python_files("src/")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return {name for text in texts for name in METRIC.findall(text)} - NOT_METRICS


def test_every_metric_is_explained_and_none_is_made_up():
    in_docs = set(re.findall(r"^\| `(catchall_[a-z0-9_]+)", page("metrics.md"), re.MULTILINE))
    assert in_docs == {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics_in_code()}


def test_every_link_in_the_docs_leads_somewhere():
    broken = []
    for file in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", file.read_text(encoding="utf-8")):
            if "://" not in target and not (file.parent / target).exists():
                broken.append(f"{file.relative_to(ROOT)}: {target}")
    assert broken == []


def test_every_target_of_make_that_the_docs_name_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set()
    for file in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        named |= set(re.findall(r"(?:`|^)make ([a-z-]+)", file.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= targets


def test_an_address_is_written_as_people_write_it():
    assert readable(r"/^issues/(?P<issue_id>[0-9a-f]{16})/events/$") == "/issues/<issue_id>/events/"
    assert readable("/keys/<number:key_id>/rotate/") == "/keys/<key_id>/rotate/"
