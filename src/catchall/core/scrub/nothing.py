"""Values under a secret name that hold no secret."""

# What says that there is no secret here, or that somebody masked it already. Compared in lower case.
_NOTHING = frozenset(
    (
        "", "none", "null", "nil", "undefined", "true", "false", "nan", "n/a", "empty", "missing", "redacted", "masked",
        "filtered", "removed", "hidden", "unset", "?", "...", "str", "string", "bytes", "int", "bool", "object",
        "optional", "required", "invalid", "incorrect", "expired", "wrong", "this", "must", "is", "was", "are", "not",
        "no", "cannot", "can", "could", "should", "has", "had", "have", "the", "a", "an", "field", "please", "too",
        "for", "from", "in", "of", "on", "to", "and", "or", "with", "unknown", "error", "failed",
    )
)  # fmt: skip
_MASKS = frozenset("*•·xX.#-_ ")
_BRACKETED = (("[", "]"), ("<", ">"), ("(", ")"))
_BRACKET_WORDS = ("filtered", "redacted", "masked", "removed", "hidden", "sensitive", "secret")
_QUOTED_MIN = 2


def is_nothing(value: str) -> bool:
    """Whether a value under a secret name holds no secret: empty, a word for nothing, or already masked."""
    if len(value) >= _QUOTED_MIN and value[0] == value[-1] and value[0] in "\"'`":
        value = value[1:-1]
    value = value.strip()
    if len(value) <= 16 and value.lower() in _NOTHING:
        return True
    if value.startswith("[masked:") and value.endswith("]"):
        return True
    if any(value.startswith(left) and value.endswith(right) for left, right in _BRACKETED):
        inside = value[1:-1].lower()
        return len(inside) <= 64 and inside.startswith(_BRACKET_WORDS)
    return _MASKS.issuperset(value)
