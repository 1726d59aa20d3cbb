"""Set up a checkout: `python3 -m tools.setup run|dev|test`, from the checkout's folder.

run   what the server needs: packages, built pages, the command .venv/bin/catchall
dev   the same and the tools of `make check`
test  the same and what the tests drive: npm packages, a browser

Needs Python 3.11 and, for the first time, its venv module with ensurepip (Debian: python3-venv) or pip. Everything else
comes as a package that is checked against the hashes in requirements/. Doing it again costs nothing: each part notes
in .stamps/ what it was made from.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tools import browser, debian, node, pages

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = ROOT / ".stamps"
UV_FOLDER = ROOT / ".tools"
E2E_NODE = ROOT / "tests/e2e/node"
PROFILES = ("run", "dev", "test")
PIP_TIMEOUT_S = 1_800
PROBE_TIMEOUT_S = 30
DISTRIBUTION_PYTHON = Path("/usr/bin/python3")
PYTHON_CHOSEN = "CATCHALL_SETUP_PYTHON_CHOSEN"  # set by the Makefile when somebody said PYTHON=...


class SetupError(Exception):
    """Something is missing that we may not or cannot bring. The text says what to do."""


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    print(f"setup: {what} ...", flush=True)
    started = time.monotonic()
    yield
    print(f"setup: {what}: {time.monotonic() - started:.1f} s", flush=True)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two setups of one checkout wait for each other. The lock ends with the process."""
    STAMPS.mkdir(exist_ok=True)
    with (STAMPS / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("setup: waiting for another setup of this checkout", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def site_packages() -> Path:
    """The folder of packages of the checkout's environment."""
    return VENV / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


def digest_of(*parts: str | Path) -> str:
    """A digest over texts and files."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def is_done(name: str, digest: str) -> bool:
    """Whether the part was finished for just this digest."""
    stamp = STAMPS / name
    return stamp.is_file() and stamp.read_text() == digest


def run(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a command, its output going to ours. Raises SetupError."""
    try:
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=PIP_TIMEOUT_S)
    except subprocess.CalledProcessError as error:
        raise SetupError(f"this failed (exit code {error.returncode}), see above: {' '.join(command)}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(str(error)) from error


def has_module(name: str) -> bool:
    """Whether the Python that runs this has a module."""
    return importlib.util.find_spec(name) is not None


def base_python() -> str:
    """The Python that .venv is made of: the one that runs this.

    Unless it was compiled without profile-guided optimization, as by hand it mostly is, nobody asked for it by name
    (make PYTHON=...), and the distribution has the same version: there catchall runs a fifth faster.
    """
    optimized = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    if optimized or sys.base_prefix == "/usr" or os.environ.get(PYTHON_CHOSEN):
        return sys.executable
    probe = [str(DISTRIBUTION_PYTHON), "-c", "import ensurepip, sys; print(*sys.version_info[:2])"]
    try:
        answer = subprocess.run(probe, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return sys.executable
    same = answer.stdout.split() == [str(part) for part in sys.version_info[:2]]
    return str(DISTRIBUTION_PYTHON) if same else sys.executable


def make_environment() -> None:
    """Make .venv, and again when the checkout was moved or Python changed: its scripts hold absolute paths."""
    python = base_python()
    digest = digest_of(str(VENV), sys.version, sys.base_prefix, python)
    if is_done("venv", digest) and (VENV / "bin/python").exists():
        return
    own = python == sys.executable
    if own and not has_module("ensurepip") and not has_module("pip"):
        raise SetupError(
            "this Python has neither ensurepip nor pip, one of which is needed to begin with. On Debian or Ubuntu: "
            "apt-get install python3-venv"
        )
    with step(f"make .venv of {python}"):
        flags = ["--without-pip"] if own and not has_module("ensurepip") else []
        run([python, "-m", "venv", "--clear", *flags, str(VENV)])
    for stale in STAMPS.glob("packages-*"):
        stale.unlink()
    (STAMPS / "venv").write_text(digest)


def pip_command() -> list[str]:
    """The pip to fetch uv with: the environment's own, else the one of the Python that runs this."""
    own = VENV / "bin/pip"
    return [str(VENV / "bin/python"), "-m", "pip"] if own.exists() else [sys.executable, "-m", "pip"]


def fetch_uv() -> Path:
    """Our pinned uv, in .tools: it installs the packages in seconds, where pip takes a minute."""
    program = UV_FOLDER / "bin/uv"
    pins = ROOT / "requirements/uv.txt"
    digest = digest_of(pins, sys.version)
    if is_done("uv", digest) and program.exists():
        return program
    with step("fetch uv"):
        flags = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore"]
        flags += ["--upgrade", "--require-hashes"]
        run([*pip_command(), "install", *flags, "--target", str(UV_FOLDER), "-r", str(pins)])
    (STAMPS / "uv").write_text(digest)
    return program


def uv_environment() -> dict[str, str]:
    """The environment for uv, which does not read what people told pip: the index and the certificates."""
    environment = {**os.environ, "VIRTUAL_ENV": str(VENV), "UV_PYTHON_DOWNLOADS": "never"}
    for ours, setting, theirs in (
        ("UV_DEFAULT_INDEX", "index-url", "PIP_INDEX_URL"),
        ("SSL_CERT_FILE", "cert", "PIP_CERT"),
    ):
        value = os.environ.get(theirs) or _pip_setting(setting)
        if value and ours not in environment:
            environment[ours] = value
    return environment


def _pip_setting(name: str) -> str | None:
    """What pip's configuration files say for a setting, if anything."""
    for scope in ("install", "global"):
        command = [*pip_command(), "config", "get", f"{scope}.{name}"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        if answer.returncode == 0 and answer.stdout.strip():
            return answer.stdout.strip()
    return None


def install_pinned(*names: str) -> None:
    """Install what some of the files in requirements/ pin."""
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    files = [argument for name in names for argument in ("-r", str(ROOT / f"requirements/{name}.txt"))]
    with step(f"install packages ({', '.join(names)})"):
        run([str(fetch_uv()), "pip", "install", *quiet, "--require-hashes", *files], uv_environment())


def install_packages(profile: str) -> None:
    """Install the pinned packages and the checkout itself, so that edits count at once."""
    names = ("run", "build") if profile == "run" else ("dev",)
    digest = _digest_of_pins(*names)
    # the developer's packages hold all that running needs
    if is_done(f"packages-{profile}", digest) or (profile == "run" and is_done("packages-dev", _digest_of_pins("dev"))):
        return
    install_pinned(*names)
    with step("install the command .venv/bin/catchall"):
        flags = ["--quiet", "--no-deps", "--no-build-isolation"]
        run([str(fetch_uv()), "pip", "install", *flags, "-e", str(ROOT)], uv_environment())
    (STAMPS / f"packages-{profile}").write_text(digest)


def _digest_of_pins(*names: str) -> str:
    return digest_of(ROOT / "pyproject.toml", *(ROOT / f"requirements/{name}.txt" for name in names))


def build_pages() -> None:
    """Build the web pages' scripts and styles when frontend/ changed."""
    if not pages.is_stale(ROOT):
        return
    if node.system_node() is None and node.wheel_node(site_packages()) is None:
        install_pinned("node")
    with step("build the pages"):
        pages.build(ROOT, site_packages())


def install_test_clients() -> None:
    """The npm packages that the end-to-end tests drive: real clients in Node and in the browser."""
    if (E2E_NODE / "package-lock.json").is_file() and not node.packages_are_installed(E2E_NODE):
        with step("install the npm packages of the tests"):
            node.install_packages(E2E_NODE, node.find_node(site_packages()))


def provide_browser() -> None:
    """A browser for the tests: found, installed, or said to be missing (its tests then say so too)."""
    try:
        path = browser.find_browser()
    except FileNotFoundError as error:
        raise SetupError(str(error)) from error
    if path is None and debian.can_install():
        with step("install chromium with apt-get"):
            debian.install("chromium")
        path = browser.find_browser()
    if path is None:
        print("setup: NO BROWSER: the browser tests will be skipped. Install chromium or set CATCHALL_BROWSER.")
    else:
        print(f"setup: browser for the tests: {path}")
        provide_browser_driver()


def provide_browser_driver() -> None:
    """What drives the browser is a Node of its own, which needs a library that a bare Debian does not have."""
    if browser.driver_fault(site_packages()) and debian.can_install():
        with step("install libatomic1 with apt-get"):
            debian.install("libatomic1")
    fault = browser.driver_fault(site_packages())
    if fault:
        print(f"setup: NO BROWSER DRIVER: the browser tests will fail. Playwright's Node does not start: {fault}")


def provide_strace() -> None:
    """What records the programs of the power-cut tests: found, installed, or said to be missing."""
    if shutil.which("strace") is None and debian.can_install():
        with step("install strace with apt-get"):
            debian.install("strace")
    if shutil.which("strace") is None:
        print("setup: NO STRACE: the power-cut tests will be skipped. Install strace.")


def set_up(profile: str) -> None:
    """Bring the checkout to what a profile needs."""
    packages = "run" if profile == "run" else "dev"
    parts: list[Callable[[], None]] = [make_environment, lambda: install_packages(packages), build_pages]
    if profile == "test":
        parts += [install_test_clients, provide_browser, provide_strace]
    with one_at_a_time():
        for part in parts:
            part()


def main(arguments: list[str]) -> int:
    """Set up, and say in one line what went wrong, if anything did."""
    if len(arguments) != 1 or arguments[0] not in PROFILES:
        print(f"usage: python3 -m tools.setup {'|'.join(PROFILES)}", file=sys.stderr)
        return 2
    if sys.version_info < (3, 11):  # noqa: UP036 - this is where it is found out
        found = ".".join(map(str, sys.version_info[:3]))
        print(f"setup: catchall needs Python 3.11 or newer, this is {found}. Use: make PYTHON=...", file=sys.stderr)
        return 1
    try:
        set_up(arguments[0])
    except (SetupError, node.NodeError) as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
