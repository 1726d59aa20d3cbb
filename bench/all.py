"""`python -m bench.all`: every measurement there is, one JSON line each, as soon as it is known."""

import argparse
import json

from bench.line import PARTS


def main() -> None:
    """Measure one part after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="events of each run")
    wanted = parser.parse_args()
    for name, part in PARTS.items():
        print(json.dumps({name: part(wanted.count)}), flush=True)


if __name__ == "__main__":
    main()
