"""A Chromium for the browser tests, and what drives it."""

import os
import shutil
import subprocess
from pathlib import Path

DRIVER_TIMEOUT_S = 30
PROGRAM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")


def find_browser() -> Path | None:
    """The browser to drive: CATCHALL_BROWSER, then the usual names in PATH, then the one playwright downloaded.

    Raises FileNotFoundError when CATCHALL_BROWSER names no file: a wish that cannot be met is said, not passed over.
    """
    wish = os.environ.get("CATCHALL_BROWSER")
    if wish:
        path = shutil.which(wish)
        if path is None:
            raise FileNotFoundError(f"CATCHALL_BROWSER={wish}: no such program")
        return Path(path)
    for name in PROGRAM_NAMES:
        path = shutil.which(name)
        if path is not None:
            return Path(path)
    return _downloaded_by_playwright()


def _downloaded_by_playwright() -> Path | None:
    home = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright")
    if not home.is_dir():
        return None
    return next((path for path in sorted(home.glob("chromium-*/chrome-linux*/chrome"), reverse=True)), None)


def driver_fault(site_packages: Path) -> str:
    """Why the Node that playwright brings does not start here, in the system's words; empty when nothing is wrong."""
    program = site_packages / "playwright/driver/node"
    if not program.is_file():
        return ""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=DRIVER_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if answer.returncode == 0 else answer.stderr.strip() or f"it ended with {answer.returncode}"
