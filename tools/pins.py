"""Pin what pyproject.toml asks for: `python3 -m tools.pins`, from the checkout's folder.

Writes requirements/*.txt with a hash for every file that may be installed, for all platforms. The files name packages,
never where they come from: each machine has its own place to get them.
"""

import subprocess
import sys

from tools.setup import ROOT, VENV, fetch_uv, uv_environment

# name of the file -> what goes in; each file agrees with the ones before it
PIN_FILES = {
    "run": ["pyproject.toml"],
    "dev": ["pyproject.toml", "--group", "dev", "--constraint", "requirements/run.txt"],
    "build": ["--group", "build", "--constraint", "requirements/dev.txt"],
    "node": ["--group", "node", "--constraint", "requirements/dev.txt"],
    "uv": ["--group", "uv", "--constraint", "requirements/dev.txt"],
}
FLAGS = ["--quiet", "--generate-hashes", "--universal", "--python-version", "3.11", "--upgrade", "--no-header"]
HEADER = "# Made by `make pins` from pyproject.toml. Do not edit.\n"


def main() -> int:
    """Write all files, in the order in which they constrain each other."""
    uv = str(fetch_uv())
    environment = uv_environment()
    for name, inputs in PIN_FILES.items():
        file = ROOT / f"requirements/{name}.txt"
        command = [uv, "pip", "compile", *FLAGS, "--python", str(VENV / "bin/python"), *inputs]
        text = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
        if "://" in text:
            print(f"{file.name} would hold an address; nothing was written", file=sys.stderr)
            return 1
        file.write_text(HEADER + text)
        print(f"{file.relative_to(ROOT)}: {text.count('==')} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
