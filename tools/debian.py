"""Packages of Debian and Ubuntu that tests need, installed where the machine allows it."""

import os
import shutil
import subprocess
from pathlib import Path

INSTALL_TIMEOUT_S = 900


def can_install() -> bool:
    """Whether this is Debian or Ubuntu and we are root."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None and Path("/etc/debian_version").is_file()


def install(package: str) -> None:
    """Try to install a package. Whether it helped, the caller sees by looking again for what was missing."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    update = ["apt-get", "-qq", "update"]
    fetch = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", package]
    for command in (update, fetch):  # a failed update may still leave a list good enough to install from
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, timeout=INSTALL_TIMEOUT_S, check=False)
