"""Who gets in, and how often somebody may guess."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from catchall.core.limits import LOGIN_ATTEMPTS_PER_ACCOUNT, LOGIN_LINK_SECONDS, LOGIN_LINKS_MAX, LOGIN_WINDOW_SECONDS
from catchall.web.accounts import create_login_link
from catchall.web.services import install
from tests.integration.web.conftest import EMAIL, PASSWORD, Site, form_token, post


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def with_clock(site: Site, seconds: float) -> None:
    """Let the application believe that it is `seconds` later."""
    clock = site.services.clock
    install(replace(site.services, clock=lambda: clock() + int(seconds * 1_000_000)))


def test_a_link_makes_an_account_once(site, nobody):
    path = path_of(create_login_link(site.services))
    assert nobody.get(path).status_code == 200
    assert nobody.get(path).status_code == 200, "opening a link must not spend it: chat programs open links"
    made = post(nobody, path, {"email": "Grace@Example.org", "password": "another long sentence"}, page=path)
    assert made.status_code == 302
    assert nobody.get("/issues/").status_code == 200
    with site.client() as other:
        assert other.get(path).status_code == 410
        back = post(
            other, "/login/", {"email": "grace@example.org", "password": "another long sentence"}, page="/login/"
        )
        assert back.status_code == 302


def test_a_link_gives_an_account_a_new_password_and_ends_its_sessions(site, nobody):
    first, second = (path_of(create_login_link(site.services)) for _ in range(2))
    post(nobody, first, {"email": "linus@example.org", "password": "the first sentence"}, page=first)
    with site.client() as other:
        post(other, second, {"email": "linus@example.org", "password": "the second sentence"}, page=second)
        assert other.get("/issues/").status_code == 200
    assert nobody.get("/issues/").status_code == 302


def test_a_link_dies_after_a_day(site, nobody):
    path = path_of(create_login_link(site.services))
    with_clock(site, LOGIN_LINK_SECONDS + 1)
    assert nobody.get(path).status_code == 410


@pytest.mark.parametrize(
    "path", ["/login/link/x/", "/login/link/x.y/", "/login/link/..../", "/login/link/" + "a" * 400 + "/"]
)
def test_a_forged_link_is_refused(nobody, path):
    assert nobody.get(path).status_code == 410


def test_only_so_many_links_are_kept(site):
    from catchall.web.people.models import LoginLink

    for _ in range(LOGIN_LINKS_MAX + 5):
        create_login_link(site.services)
    assert LoginLink.objects.count() == LOGIN_LINKS_MAX


def test_two_who_use_one_link_at_once_are_not_both_let_in(site):
    path = path_of(create_login_link(site.services))

    def use(number: int) -> int:
        with site.client() as client:
            form = {"email": f"twin{number}@example.org", "password": "a twin of a sentence"}
            return post(client, path, form, page=path).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(use, range(2))) in ([302, 410], [302, 422])


@pytest.mark.parametrize(
    ("email", "password", "words"),
    [
        ("nobody", "a long enough sentence", "not an e-mail address"),
        ("x@example.org", "short", "too short"),
        ("x@example.org", "password12", "too common"),
        ("x@example.org", "y" * 2000, "longer than"),
        ("a" * 300 + "@example.org", "a long enough sentence", "not an e-mail address"),
    ],
)
def test_a_form_that_is_not_good_enough_says_why_and_spends_nothing(site, nobody, email, password, words):
    path = path_of(create_login_link(site.services))
    answer = post(nobody, path, {"email": email, "password": password}, page=path)
    assert answer.status_code == 422
    assert words in answer.text
    assert nobody.get(path).status_code == 200


def test_a_wrong_password_says_the_same_as_a_wrong_address(nobody):
    wrong = post(nobody, "/login/", {"email": EMAIL, "password": "not it at all"}, page="/login/")
    unknown = post(nobody, "/login/", {"email": "nobody@example.org", "password": "not it at all"}, page="/login/")
    assert wrong.status_code == unknown.status_code == 422
    assert "is not right" in wrong.text
    assert "is not right" in unknown.text


def test_guessing_is_bounded_for_an_account_whatever_the_address(site, nobody):
    from catchall.web.people import throttle
    from catchall.web.people.links import moment

    now = moment(site.services.clock())
    for number in range(LOGIN_ATTEMPTS_PER_ACCOUNT):
        assert throttle.begin_attempt(throttle.keys_of(EMAIL, f"198.51.100.{number}"), now) == 0
    answer = post(nobody, "/login/", {"email": EMAIL.upper(), "password": PASSWORD}, page="/login/")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= LOGIN_WINDOW_SECONDS
    with_clock(site, LOGIN_WINDOW_SECONDS + 1)
    assert post(nobody, "/login/", {"email": EMAIL, "password": PASSWORD}, page="/login/").status_code == 302


def test_a_right_password_forgets_the_failures(site):
    from catchall.web.people import throttle
    from catchall.web.people.links import moment
    from catchall.web.people.models import LoginThrottle

    now = moment(site.services.clock())
    keys = throttle.keys_of("kay@example.org", "198.51.100.7")
    for _ in range(LOGIN_ATTEMPTS_PER_ACCOUNT - 1):
        throttle.begin_attempt(keys, now)
    throttle.begin_attempt(keys, now)
    throttle.succeeded(keys)
    assert throttle.begin_attempt(keys, now) == 0
    assert LoginThrottle.objects.get(key_hash=keys[0][0]).attempts == 1


def test_the_table_of_failures_is_bounded(site, monkeypatch):
    from catchall.web.people import throttle
    from catchall.web.people.links import moment
    from catchall.web.people.models import LoginThrottle

    monkeypatch.setattr(throttle, "LOGIN_THROTTLE_ROWS_MAX", 20)
    now = moment(site.services.clock())
    for number in range(50):
        throttle.begin_attempt(
            throttle.keys_of(f"x{number}@example.org", f"h{number}"), now + timedelta(seconds=number)
        )
    assert LoginThrottle.objects.count() <= 22


def test_every_page_but_a_few_needs_a_login(nobody):
    answer = nobody.get("/issues/?state=all")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/login/?next=%2Fissues%2F%3Fstate%3Dall"
    part = nobody.get("/issues/live/", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (401, "/login/")
    assert nobody.get("/-/health").text == "ok\n"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_the_login_leads_to_our_own_pages_only(nobody, target):
    form = {"email": EMAIL, "password": PASSWORD, "next": target}
    answer = post(nobody, "/login/", form, page="/login/")
    assert answer.headers["Location"] == "/"


def test_logging_out_needs_a_form_of_ours(site, nobody):
    post(nobody, "/login/", {"email": EMAIL, "password": PASSWORD}, page="/login/")
    assert nobody.post("/logout/").status_code == 403
    assert nobody.get("/logout/").status_code == 405
    assert nobody.get("/issues/").status_code == 200
    assert post(nobody, "/logout/", {}).status_code == 302
    assert nobody.get("/issues/").status_code == 302


def test_the_session_is_a_new_one_after_the_login(nobody):
    planted = {"Cookie": "catchall_session=" + "a" * 32}
    form = {"email": EMAIL, "password": PASSWORD, "csrfmiddlewaretoken": form_token(nobody, "/login/")}
    cookies = f"{planted['Cookie']}; catchall_csrf={nobody.cookies['catchall_csrf']}"
    answer = nobody.post("/login/", data=form, headers={"Cookie": cookies})
    assert answer.status_code == 302
    assert answer.cookies["catchall_session"] != "a" * 32


def test_changing_the_password_ends_the_other_sessions(site):
    path = path_of(create_login_link(site.services))
    with site.client() as here, site.client() as there:
        post(here, path, {"email": "mary@example.org", "password": "the first sentence"}, page=path)
        post(there, "/login/", {"email": "mary@example.org", "password": "the first sentence"}, page="/login/")
        wrong = post(here, "/account/password/", {"old": "not it", "new": "the second sentence"})
        assert wrong.status_code == 422
        assert post(here, "/account/password/", {"old": "the first sentence", "new": "short"}).status_code == 422
        right = post(here, "/account/password/", {"old": "the first sentence", "new": "the second sentence"})
        assert right.status_code == 302
        assert here.get("/issues/").status_code == 200
        assert there.get("/issues/").status_code == 302


def test_the_database_is_for_this_user_only(site):
    assert (site.services.data_dir / "people.db").stat().st_mode & 0o077 == 0


def test_no_secret_is_stored_as_it_is(site, token, nobody):
    path = path_of(create_login_link(site.services))
    stored = b"".join(file.read_bytes() for file in site.services.data_dir.glob("people.db*"))
    assert token.encode() not in stored
    assert path.split("/")[3].split(".")[0].encode() not in stored
    assert PASSWORD.encode() not in stored


def test_a_form_token_is_needed(ada):
    assert ada.post("/account/tokens/", data={"name": "x"}).status_code == 403
    assert form_token(ada, "/account/")
