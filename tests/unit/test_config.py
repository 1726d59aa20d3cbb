"""Settings come from file and environment, and every wrong value says what would be right."""

from pathlib import Path

import pytest

from catchall.config import Settings, load
from catchall.core.errors import ConfigError


def test_defaults_need_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, {}) == Settings()


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path: Path) -> None:
    (tmp_path / "catchall.toml").write_text('workers = 3\nbind = "0.0.0.0:9000"\ntrusted_proxies = ["10.0.0.0/8"]\n')
    settings = load(tmp_path, {"CATCHALL_WORKERS": "5"}, {"bind": "127.0.0.1:9001"})
    assert (settings.workers, settings.bind, settings.trusted_proxies) == (5, "127.0.0.1:9001", ["10.0.0.0/8"])


def test_a_value_may_lie_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("https://errors.example.com\n")
    assert load(tmp_path, {"CATCHALL_BASE_URL_FILE": str(secret)}).public_url == "https://errors.example.com"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"CATCHALL_WORKERS": "many"}, ["CATCHALL_WORKERS", "whole number"]),
        ({"CATCHALL_WORKERS": "99"}, ["0 to 16"]),
        ({"CATCHALL_BIND": "localhost"}, ["HOST:PORT"]),
        ({"CATCHALL_LOG_LEVEL": "loud"}, ["debug, info, warning, error"]),
        ({"CATCHALL_TRUSTED_PROXIES": "10.0.0.0/8,proxy"}, ["'proxy'"]),
        ({"CATCHALL_BASE_URL": "ftp://x"}, ["http://"]),
        ({"CATCHALL_TLS_KEY": "/nowhere.pem"}, ["can be read"]),
        ({"CATCHALL_BASE_URL_FILE": "/nowhere"}, ["cannot be read"]),
    ],
)
def test_a_wrong_value_names_the_setting_and_what_is_legal(
    tmp_path: Path, environment: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, environment)
    assert all(word in str(caught.value) for word in words)


def test_an_unknown_setting_in_the_file_is_not_ignored(tmp_path: Path) -> None:
    (tmp_path / "catchall.toml").write_text("wrokers = 3\n")
    with pytest.raises(ConfigError, match=r"wrokers.*workers"):
        load(tmp_path, {})


def test_a_broken_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "catchall.toml").write_text("workers = \n")
    with pytest.raises(ConfigError, match=r"catchall\.toml"):
        load(tmp_path, {})


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    pem = tmp_path / "chain.pem"
    pem.write_text("x")
    with pytest.raises(ConfigError, match="go together"):
        load(tmp_path, {"CATCHALL_TLS_CERTIFICATE": str(pem)})


def test_pages_are_linked_on_localhost_where_passkeys_work(tmp_path: Path) -> None:
    assert load(tmp_path, {}).public_url == "http://localhost:8300"


@pytest.mark.parametrize(("written", "meant"), [("true", True), ("1", True), ("False", False), ("0", False)])
def test_a_yes_or_no_is_read_from_a_variable(tmp_path, written, meant):
    assert load(tmp_path, {"CATCHALL_DEVELOPMENT": written}).development is meant


def test_a_yes_or_no_that_is_neither_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="true or false"):
        load(tmp_path, {"CATCHALL_DEVELOPMENT": "maybe"})


@pytest.mark.parametrize(("cores", "workers"), [(None, 1), (1, 1), (2, 2), (4, 2), (8, 4)])
def test_workers_by_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int | None, workers: int) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert load(tmp_path, {}).worker_count() == workers
    assert load(tmp_path, {"CATCHALL_WORKERS": "3"}).worker_count() == 3
