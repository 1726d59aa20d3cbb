"""The real JavaScript clients of tests/e2e/node: the Node that runs them, the bundle for a page."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.node import find_node, packages_are_installed

FOLDER = Path(__file__).parent.parent / "e2e/node"
SECONDS_MAX = 60


def require_clients() -> None:
    """Skip (on CI: fail) when the npm packages are missing."""
    if not packages_are_installed(FOLDER):
        pytest.skip("the npm packages of tests/e2e/node are missing: make test installs them")


def run_program(name: str, dsn: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program of tests/e2e/node/programs to its end."""
    return _node(FOLDER / "programs" / name, environ={"CATCHALL_DSN": dsn})


def bundle(name: str, target: Path) -> None:
    """Bundle a program for the browser, with its source map in it."""
    program = FOLDER / "programs" / name
    options = ["--bundle", "--sourcemap=inline", "--format=iife", f"--outfile={target}"]
    done = _node(FOLDER / "node_modules/esbuild/bin/esbuild", str(program), *options)
    assert done.returncode == 0, done.stderr.decode()


def _node(script: Path, *arguments: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    program = find_node(Path(sys.prefix) / f"lib/python3.{sys.version_info.minor}/site-packages").program
    return subprocess.run(
        [program, script, *arguments],
        env={**os.environ, **(environ or {})},
        check=False,
        capture_output=True,
        timeout=SECONDS_MAX,
    )
