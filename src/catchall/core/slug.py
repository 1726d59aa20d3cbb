"""Short names for addresses and commands, made of what people typed."""

import unicodedata
from collections.abc import Container

SLUG_CHARS_MAX = 48


def slug_of(name: str, taken: Container[str]) -> str:
    """Lower-case letters, digits and single dashes, made of `name`, with a number when it is taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "".join(letter if letter.isalnum() else " " for letter in plain).split()
    base = "-".join(words)[:SLUG_CHARS_MAX].strip("-") or "project"
    if base not in taken:
        return base
    number = 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"
