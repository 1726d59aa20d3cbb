"""Masking inside a text: the secret goes, the words around it stay, what only looks like one stays too."""

import pytest

from catchall.core import limits
from catchall.core.scrub import scrubber
from catchall.core.scrub.numbers import is_card, is_ssn, luhn

RULES = scrubber()
MASKED = [
    ("mail to jane.doe+x@example.org bounced", "mail to [masked:email] bounced"),
    ("'jane@example.com'", "'[masked:email]'"),
    ("see jané@müller.de に", "see [masked:email] に"),
    ("?mail=jane%40example.com&x=1", "?mail=[masked:email]&x=1"),
    ("card 4111-1111-1111-1111 or 4111111111111111.", "card [masked:card] or [masked:card]."),
    ("paid 3782 822463 10005 ok", "paid [masked:card] ok"),
    ("12 4111 1111 1111 1111 99", "12 [masked:card] 99"),
    ("ssn 078-05-1120", "ssn [masked:ssn]"),
    ("to DE89370400440532013000 and GB82 WEST 1234 5698 7654 32 OK", "to [masked:iban] and [masked:iban] OK"),
    ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl!", "jwt [masked:jwt]!"),
    ("Bearer abcdef0123456789", "Bearer [masked:authorization]"),
    ("Basic dXNlcjpwYXNzd29yZA== end", "Basic [masked:authorization] end"),
    ("Authorization: Bearer s3cr3t\nHost: x", "Authorization: Bearer [masked:authorization]\nHost: x"),
    ('Authorization: Digest user="x", response="y"\nHost', "Authorization: Digest [masked:authorization]\nHost"),
    ("postgres://app:letmein@db.internal:5432/x", "postgres://app:[masked:url_password]@db.internal:5432/x"),
    ("redis://:pw1@cache/0", "redis://:[masked:url_password]@cache/0"),
    ("https://x/y?token=abc&page=3&api_key=zz#f", "https://x/y?token=[masked:token]&page=3&api_key=[masked:api_key]"),
    ("{'password': 'hun\\'ter', 'user': 1}", "{'password': '[masked:password]', 'user': 1}"),
    ("{'secret': b'xyz', 'n': 2}", "{'secret': b'[masked:secret]', 'n': 2}"),
    ("{'secret': {'a': [1, 2]}, 'n': 2}", "{'secret': [masked:secret], 'n': 2}"),
    ('{"token":"abc","n":2}', '{"token":"[masked:token]","n":2}'),
    ('{\\"token\\":\\"abc\\",\\"n\\":2}', '{\\"token\\":\\"[masked:token]\\",\\"n\\":2}'),
    ("PASSWORD=hunter2 TOKEN='a b' x", "PASSWORD=[masked:password] TOKEN='[masked:token]' x"),
    ("password: hunter", "password: [masked:password]"),
    ("secret => xyz;", "secret => [masked:secret];"),
    ("user[password]=hunter2&a=b", "user[password]=[masked:password]&a=b"),
    ("Cookie: sessionid=abc123; theme=dark", "Cookie: sessionid=[masked:cookie]; theme=dark"),
    ("<ns:apiKey id='1'>k1</ns:apiKey>", "<ns:apiKey id='1'>[masked:api_key]</ns:apiKey>"),
    ("key AKIAJMFBHWBGZT3MHB64 is", "key [masked:api_key] is"),
    ("ghp_kklW7XDrFRo5OAy3KTJ76hXW6B3QfqNHrZvu", "[masked:api_key]"),
    ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- tail", "[masked:private_key] tail"),
    ("-----BEGIN PRIVATE KEY-----\ncut off", "[masked:private_key]"),
]  # fmt: skip
KEPT = [
    "order 4903072252499017, trace d962bf40-3345-418a-a705-d19c432d0fc7",
    "id 4111-1111-1111-1111-2222 0.4111111111111111 a4111111111111111 4111111111111111f",
    "d377dbede28678cac9e2656075f7274f 12345678-4111-1111-1111-111111111111",
    "took 795.665385229859s, version 5.8.9.11, node 127.0.0.1, at 2024-11-23",
    "lib @types/node@20.1.0, pkg@1.2.beta, icon@2x.png, user@cached_property, git@github.com:x/y",
    "basic authentication failed for bearer of news",
    "Invalid token: expired; Unexpected token: <; session: closed",
    "password: must be longer; password = None, token=null, secret='[Filtered]', api_key=********, token=<redacted>",
    "WHERE token = $1 AND secret = ? AND password = :password OR pin=%s OR pass={password}",
    "SELECT token.id FROM tokens WHERE token.id = 4 and session.id = 77123456",
    "std::token::Kind, if token == other, <Session object at 0x7f12>, at CardNumberField (app.js:53:106)",
    "task-d377dbede28678cac9e2656075f7274f 000-12-3456 900-12-3456 123-45-67890",
    "password=[masked:password] [masked:ssn]=5",
    "XX89370400440532013000 DE00370400440532013000",
    "",
]


@pytest.mark.parametrize(("text", "masked"), MASKED)
def test_masked(text, masked):
    found = RULES.walk._mask_text(text)
    assert found is not None
    assert found[0] == masked
    assert len(found[1]) == masked.count("[masked:")


@pytest.mark.parametrize("text", KEPT)
def test_kept(text):
    assert RULES.walk._mask_text(text) is None


def test_in_program_code_only_literals_are_secrets():
    line = 'connect(password=password, token: str, secret="abc", key=self.api_key)'
    found = RULES.walk._mask_text(line, source=True)
    assert found == ('connect(password=password, token: str, secret="[masked:secret]", key=self.api_key)', ["secret"])


def test_digits_of_an_identifier_are_no_card():
    assert RULES.walk._mask_text("4111111111111111", identifier=True) is None
    assert RULES.walk._mask_text("jane@example.com", identifier=True) is not None


def test_places_that_overlap_become_one_mask():
    found = RULES.walk._mask_text("token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln mail=password=a@b.de")
    assert found is not None
    assert "eyJ" not in found[0]
    assert "a@b" not in found[0]


def test_a_text_that_is_nothing_but_secrets_is_masked_whole():
    found = RULES.walk._mask_text("a@b.de " * (limits.SCRUB_SPANS_MAX + 1))
    assert found == ("[masked:too_many]", ["too_many"])


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50_000,
        "token=" * 20_000,
        "'" * 50_000,
        "\\" * 50_000,
        "<token " * 10_000,
        "4111 " * 20_000,
        "session=(" * 20_000,
        "secret=[" * 20_000,
        "key AKIA" * 9_000,
    ],
)
def test_hostile_texts_take_linear_time(text):
    RULES.walk._mask_text(text)


def test_card_numbers_have_a_brand_a_length_and_a_check_digit():
    good = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "3530111333300000"]
    assert [number for number in good if not is_card(number)] == []
    bad = ["4111111111111112", "41111111111111", "9111111111111111", "1234567812345670", "0000000000000000"]
    assert [number for number in bad if is_card(number)] == []
    assert luhn("79927398713")


def test_numbers_that_were_never_given_out():
    assert is_ssn("078-05-1120")
    assert not any(is_ssn(text) for text in ("000-12-3456", "666-12-3456", "901-12-3456", "123-00-4567", "123-45-0000"))
