"""Find a Chromium for the browser tests, and install one where the machine allows it."""

import os
import shutil
import subprocess
from pathlib import Path

PROGRAM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
INSTALL_TIMEOUT_S = 900


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


def can_install() -> bool:
    """Whether this is Debian or Ubuntu and we are root."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None and Path("/etc/debian_version").is_file()


def install_browser() -> bool:
    """Install Debian's chromium. False when apt could not."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    update = ["apt-get", "-qq", "update"]
    install = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", "chromium"]
    for command in (update, install):
        result = subprocess.run(
            command, env=environment, stdout=subprocess.DEVNULL, timeout=INSTALL_TIMEOUT_S, check=False
        )
        # a failed update may still leave a list good enough to install from
        if result.returncode != 0 and command is install:
            return False
    return shutil.which("chromium") is not None
