"""`python -m bench.all`: every measurement, one JSON line each on stdout as soon as it is known; a table on stderr.

Each bench runs in a process of its own. Exit code 1 when one of them failed; a missed figure is no failure.
"""

import argparse
import json
import subprocess
import sys
from typing import Any

from bench.processes import say
from bench.targets import table


def benches(count: int, stored: int, kills: int) -> dict[str, list[str]]:
    """Each bench with its arguments."""
    return {
        "line": ["--count", str(count)],
        "bare": ["--count", str(count)],
        "stages": ["--count", str(count)],
        "kills": ["--kills", str(kills)],
        "queries": ["--count", str(stored)],
    }


def run(name: str, arguments: list[str]) -> dict[str, Any] | None:
    """What a bench prints; None when it failed."""
    say(f"{name} {' '.join(arguments)}")
    done = subprocess.run([sys.executable, "-m", f"bench.{name}", *arguments], check=False, stdout=subprocess.PIPE)
    if done.returncode:
        say(f"{name} failed with {done.returncode}")
        return None
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000, help="events of each run")
    parser.add_argument("--stored", type=int, default=1_000_000, help="events to fill in before reading is measured")
    parser.add_argument("--kills", type=int, default=12)
    wanted = parser.parse_args()
    results: dict[str, Any] = {}
    failed = 0
    for name, arguments in benches(wanted.count, wanted.stored, wanted.kills).items():
        found = run(name, arguments)
        if found is None:
            failed += 1
            continue
        results[name] = found
        print(json.dumps({name: found}), flush=True)
    print(table(results), file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
