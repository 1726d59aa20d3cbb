"""Masking inside one text: the words around a secret stay."""

from collections.abc import Iterable, Iterator

import re2

from catchall.core import limits
from catchall.core.scrub.keys import KeyRules
from catchall.core.scrub.named import ELEMENT, NAMED, element_spans, named_spans
from catchall.core.scrub.patterns import bytes_options, compile_bytes
from catchall.core.scrub.values import NUMBER_RULES, VALUE_RULES

TOO_MANY = "too_many"

Span = tuple[int, int, str]


def mask_of(rule: str) -> str:
    """What stands where something was masked."""
    return f"[masked:{rule}]"


class TextRules:
    """All rules for texts, with a project's own names. A `re2.Set` says which patterns are worth a look."""

    def __init__(self, keys: KeyRules) -> None:
        self._keys = keys
        self._values = [(rule, compile_bytes(rule.pattern)) for rule in VALUE_RULES]
        named, element = NAMED % keys.cores, ELEMENT % keys.cores
        self._named, self._element = compile_bytes(named), compile_bytes(element)
        self._set = re2.Set.SearchSet(bytes_options())
        for pattern in (*(rule.pattern for rule in VALUE_RULES), named, element):
            self._set.Add(pattern)
        self._set.Compile()

    def mask(self, text: str, *, source: bool = False, identifier: bool = False) -> tuple[str, list[str]] | None:
        """The masked text and the rules that masked something, one for each place; None when nothing is to mask.

        `source`: a line of program code, where `password=password` is a name and only literals are secrets.
        `identifier`: the value of a key that names an id, where digits are just digits.
        """
        data = text.encode("utf-8", "surrogatepass")
        candidates = self._set.Match(data)
        if not candidates:
            return None
        found = self._spans(data, candidates, source=source)
        spans = _merged(span for span in found if not (identifier and span[2] in NUMBER_RULES))
        if not spans:
            return None
        if len(spans) > limits.SCRUB_SPANS_MAX:
            return mask_of(TOO_MANY), [TOO_MANY]
        pieces: list[bytes] = []
        at = 0
        for start, end, rule in spans:
            pieces += (data[at:start], mask_of(rule).encode())
            at = end
        pieces.append(data[at:])
        return b"".join(pieces).decode("utf-8", "replace"), [rule for _, _, rule in spans]

    def _spans(self, data: bytes, candidates: list[int], *, source: bool) -> Iterator[Span]:
        for index in sorted(candidates):
            if index < len(self._values):
                rule, pattern = self._values[index]
                for found in pattern.finditer(data):
                    inner = found.span(1) if pattern.groups else found.span()
                    for start, end in rule.spans(data, *found.span(), *inner):
                        yield start, end, rule.rule
            elif index == len(self._values):
                yield from named_spans(data, self._named, self._keys, source=source)
            else:
                yield from element_spans(data, self._element, self._keys)


def _merged(found: Iterable[Span]) -> list[Span]:
    """Places in order; overlapping ones become one, named by the rule that comes first in the list of rules."""
    spans = sorted(((start, end, order, rule) for order, (start, end, rule) in enumerate(found)), key=lambda s: s[:3])
    merged: list[tuple[int, int, int, str]] = []
    for span in spans:
        if merged and span[0] < merged[-1][1]:
            start, end, order, rule = merged[-1]
            first = min((order, rule), (span[2], span[3]))
            merged[-1] = (start, max(end, span[1]), *first)
        elif span[1] > span[0]:
            merged.append(span)
    return [(start, end, rule) for start, end, _, rule in merged]
