"""Secrets and personal data are masked before anything is stored.

Two halves: the screen looks at raw JSON and says where there may be something, the walk takes that apart and masks it.
Names that make a value secret are in terms.py, shapes that are secret by themselves in values.py. Each mask leaves
`[masked:<rule>]` in the text, the words around it stay.
"""

from functools import lru_cache

from catchall.core import limits
from catchall.core.scrub.keys import key_rules
from catchall.core.scrub.screen import Screen
from catchall.core.scrub.terms import TERMS, project_terms
from catchall.core.scrub.text import TextRules
from catchall.core.scrub.walk import Walk


class Scrubber:
    """All rules of a project, compiled: `screen` and `walk`. `names`: its own secret keys."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self.names = names
        keys = key_rules(names)
        self.rule_of = keys.rule_of
        self.screen = Screen(TERMS + project_terms(names))
        self.walk = Walk(keys, TextRules(keys))


@lru_cache(limits.SCREENS_REMEMBERED_MAX)
def scrubber(names: tuple[str, ...] = ()) -> Scrubber:
    """The scrubber for a list of own keys; compiled once for each list."""
    return Scrubber(names)
