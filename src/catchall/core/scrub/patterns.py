r"""Patterns over bytes, the one way to compile them.

Bytes are matched as Latin-1: each byte is a character, so that offsets are offsets, letter case means A-Z only (no
`ſecret`, which UTF-8 folding would find in decoded text but the screen not in `\u017f`), and the automaton is small.
"""

from typing import TypeAlias

import re2

Pattern: TypeAlias = re2._Regexp  # noqa: SLF001 - the library gives it no public name


def compile_bytes(pattern: bytes) -> Pattern:
    """Compile an RE2 pattern for bytes. Groups capture; no text can make matching take more than linear time."""
    return re2.compile(pattern, bytes_options())


def bytes_options() -> re2.Options:
    """The options that all our patterns share."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return options
