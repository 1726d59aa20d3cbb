"""Which names make a value secret."""

import pytest

from catchall.core.scrub.keys import key_rules, split_words
from catchall.core.scrub.terms import TERMS, Place

RULES = key_rules(("Kunden-Nr", "föhn", "--"))

SECRET = {
    "password": "password", "Passwd": "password", "userPassword": "password", "PASSWORD_HASH": "password",
    "pass_phrase": "password", "PGPASSWORD": "password", "DB_PWD": "password", "smtp-pass": "password",
    "user[password]": "password", "client_secret": "secret", "AWS_SECRET_ACCESS_KEY": "secret", "secrets": "secret",
    "credentials": "credentials", "connectionString": "credentials", "apiKey": "api_key", "API-KEY": "api_key",
    "X-Api-Key": "api_key", "accessKeyId": "api_key", "private_key": "private_key", "signingKey": "private_key",
    "csrf": "csrf", "XSRF-TOKEN": "csrf", "csrfmiddlewaretoken": "token", "session": "session",
    "JSESSIONID": "session", "user_session": "session", "sessionData": "session", "connect.sid": "session",
    "session.id": "session", "Authorization": "authorization", "Proxy-Authorization": "authorization",
    "auth": "authorization", "token": "token", "accessToken": "token", "HTTPToken": "token", "token2": "token",
    "token_id": "token", "refresh_tokens": "token", "tokens": "token", "JWT": "token", "Cookie": "cookie",
    "Set-Cookie": "cookie", "cookies": "cookie", "card": "card", "cardNumber": "card", "credit_card": "card",
    "cc": "card", "cvv": "card_code", "cvv2": "card_code", "securityCode": "card_code", "otp": "pin", "pin": "pin",
    "ssn": "ssn", "SocialSecurityNumber": "ssn", "IBAN": "iban", "kundenNr": "project", "x_kunden_nr_alt": "project",
    "KUNDEN.NR": "project", "föhn": "project",
}  # fmt: skip
PLAIN = [
    "author", "authority", "auth_user", "tokenizer", "token_type", "max_tokens", "tokenCount", "secretary", "account",
    "company", "shipping", "inside", "obsession", "session_count", "session_start_time", "cookie_policy", "card_type",
    "discard", "wildcards", "monkey", "keyboard", "key", "access_keyboard", "bypass", "passenger", "compass", "spin",
    "csrf_version", "password_length", "token_expires_at", "password_changed_at", "", "-", "user", "kunden", "nr",
    "number", "id", "trace_id", "order",
]  # fmt: skip


@pytest.mark.parametrize("key", SECRET)
def test_secret_names(key):
    assert RULES.rule_of(key) == SECRET[key]


@pytest.mark.parametrize("key", PLAIN)
def test_other_names(key):
    assert RULES.rule_of(key) == ""


def test_a_name_of_many_characters_is_judged_too():
    assert RULES.rule_of("x" * 10_000 + "_password") == "password"
    assert RULES.rule_of("password" + "-" * 10_000) == "password"


def test_own_names_are_own():
    assert key_rules(()).rule_of("kundenNr") == ""
    assert key_rules(("",)).rule_of("anything") == ""


def test_words_of_names():
    assert split_words("userHTTPToken2_x-y.z") == ["user", "http", "token", "2", "x", "y", "z"]


def test_terms_for_words_have_choices_outside_only():
    """The screen capitalises each choice of a word: it splits them at "|"."""
    words = [term.core for term in TERMS if term.place is Place.WORD]
    assert [core for core in words if any(b"|" in group.partition(b")")[0] for group in core.split(b"(")[1:])] == []
