"""Numbers that prove what they are: payment cards, IBANs, US social security numbers.

Sources: ISO/IEC 7812-1 annex B (Luhn), issuer ranges as the networks publish them, ISO 13616 and the SWIFT IBAN
registry (lengths, mod 97), SSA "Social Security Number Randomization" (numbers never given out).
"""

from collections.abc import Iterator

# (first, last) prefixes of one length, lengths of the whole number
_BRANDS: tuple[tuple[int, int, frozenset[int]], ...] = (
    (4, 4, frozenset((16, 19))),  # Visa; those of 13 digits are gone, order numbers of 13 digits are not
    (51, 55, frozenset((16,))),  # Mastercard
    (2221, 2720, frozenset((16,))),  # Mastercard
    (34, 34, frozenset((15,))),  # American Express
    (37, 37, frozenset((15,))),
    (36, 36, frozenset((14, 16))),  # Diners Club
    (300, 305, frozenset((14, 16))),
    (38, 39, frozenset((14, 16))),
    (6011, 6011, frozenset((16, 19))),  # Discover
    (644, 659, frozenset((16, 19))),
    (62, 62, frozenset((16, 17, 18, 19))),  # UnionPay
    (3528, 3589, frozenset((16, 17, 18, 19))),  # JCB
    (50, 50, frozenset((16, 19))),  # Maestro and Elo
    (56, 58, frozenset((16, 19))),
    (6304, 6304, frozenset((16, 19))),
    (67, 67, frozenset((16, 19))),
    (2200, 2204, frozenset((16,))),  # Mir
)
_CARD_GROUPS = frozenset(((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 5), (4, 4, 4, 1)))
_GROUPS_MAX = 5
_SEPARATORS = b" -"
IBAN_LENGTH_MIN = 15
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20,
    "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip


def luhn(digits: str) -> bool:
    """Whether the last digit checks the others."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def is_card(digits: str) -> bool:
    """Whether digits are a card number of a known brand: prefix, length and check digit agree."""
    return any(
        len(digits) in lengths and first <= int(digits[: len(str(first))]) <= last for first, last, lengths in _BRANDS
    ) and luhn(digits)


def cards_in(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Card numbers within a run of digits, blanks and dashes: whole, or in the groups that cards are printed in."""
    groups = _digit_groups(data, start, end)
    at = 0
    while at < len(groups):
        taken = _card_at(data, groups, at)
        if taken:
            yield groups[at][0], groups[at + taken - 1][1]
        at += taken or 1


def _digit_groups(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    groups = []
    at = start
    while at < end:
        if data[at] in _SEPARATORS:
            at += 1
            continue
        first = at
        while at < end and data[at] not in _SEPARATORS:
            at += 1
        groups.append((first, at))
    return groups


def _card_at(data: bytes, groups: list[tuple[int, int]], at: int) -> int:
    """How many groups from this one on are a card; 0 when they are none."""
    for taken in range(1, min(_GROUPS_MAX, len(groups) - at) + 1):
        window = groups[at : at + taken]
        if taken > 1 and tuple(last - first for first, last in window) not in _CARD_GROUPS:
            continue
        if not _stands_alone(data, window[0][0], window[-1][1]):
            continue
        if is_card(b"".join([data[first:last] for first, last in window]).decode("ascii")):
            return taken
    return 0


def _stands_alone(data: bytes, start: int, end: int) -> bool:
    """Whether a number is no part of a hash, an identifier, a decimal or a UUID."""
    before, after = data[max(0, start - 2) : start], data[end : end + 2]
    if _in_name(before[-1:]) or _in_name(after[:1]):
        return False
    if before[-1:] in (b".", b",") and before[:1].isdigit():
        return False
    if after[:1] in (b".", b",") and after[1:].isdigit():
        return False
    return not (_hex_group_before(data, start) or (after[:1] == b"-" and _in_name(after[1:])))


def _hex_group_before(data: bytes, start: int) -> bool:
    """Whether `start` follows a dash and a group of hex digits, as the last part of a UUID does."""
    if data[start - 1 : start] != b"-":
        return False
    first = start - 1
    while first > 0 and data[first - 1 : first].isalnum() and start - first < 16:
        first -= 1
    group = data[first : start - 1]
    return bool(group) and all(byte in b"0123456789abcdefABCDEF" for byte in group)


def _in_name(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_"


def iban_end(data: bytes, start: int, end: int) -> int:
    """Where the IBAN that begins at `start` ends, at most at `end`; 0 when it is none."""
    length = _IBAN_LENGTHS.get(data[start : start + 2].decode("latin-1"))
    if length is None or _in_name(data[start - 1 : start] if start else b""):
        return 0
    taken = bytearray()
    at = start
    while at < end and len(taken) < length:
        if data[at] != 0x20:
            taken.append(data[at])
        at += 1
    if len(taken) < length or _in_name(data[at : at + 1]):
        return 0
    text = taken.decode("latin-1")
    number = int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4]))
    return at if number % 97 == 1 else 0


def is_ssn(text: str) -> bool:
    """Whether `AAA-GG-SSSS` can be a US social security number."""
    area, group, serial = text[:3], text[4:6], text[7:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
