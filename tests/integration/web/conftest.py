"""The pages and the API in this process, over the real stores, filled through the real log and worker.

Django can be set up once in a process, so all tests of this folder share one installation: each changes only what it
made, or a story that is its own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from catchall.bootstrap import Parts, web_services
from catchall.config import Settings
from catchall.web.application import build
from catchall.web.services import WebServices, install
from tests.support.filled import fill

EMAIL, PASSWORD = "ada@example.org", "a long and plain sentence"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(slots=True)
class Site:
    """The application and what it stands on."""

    app: Any
    services: WebServices

    def client(self, **options: Any) -> httpx.Client:
        """A browser without scripts. `address`: where its requests seem to come from."""
        address = options.pop("address", "192.0.2.1")
        transport = httpx.WSGITransport(app=self._as_wsgi_says, raise_app_exceptions=False, remote_addr=address)
        return httpx.Client(transport=transport, base_url="http://localhost", **options)

    def _as_wsgi_says(self, environ: dict[str, Any], start_response: Any) -> Any:
        """httpx gives the path as text; PEP 3333 wants its bytes as Latin-1."""
        environ["PATH_INFO"] = environ["PATH_INFO"].encode().decode("latin-1")
        return self.app(environ, start_response)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("web") / "data"
    fill(data, share=0.1)
    with Parts(data, Settings()) as parts:
        services = replace(web_services(parts), development=True)
        app = build(services)
        from catchall.web.people.models import User

        User.objects.create_user(EMAIL, PASSWORD)
        yield Site(app, services)


@pytest.fixture(autouse=True)
def own_services(site: Site) -> Iterator[None]:
    """A test may install other services; the next one gets the real ones again."""
    from catchall.web.people.models import LoginThrottle

    LoginThrottle.objects.all().delete()
    yield
    install(site.services)


def form_token(client: httpx.Client, path: str) -> str:
    """What a form of the page at `path` must send along."""
    found = TOKEN.search(client.get(path).text)
    assert found, f"no form on {path}"
    return found[1]


def post(client: httpx.Client, path: str, data: dict[str, Any], *, page: str = "/account/") -> httpx.Response:
    """Send a form as the page `page` would."""
    return client.post(path, data={**data, "csrfmiddlewaretoken": form_token(client, page)})


@pytest.fixture
def nobody(site: Site) -> Iterator[httpx.Client]:
    with site.client() as client:
        yield client


@pytest.fixture(scope="session")
def session_cookie(site: Site) -> str:
    """One login for all tests: hashing a password is slow on purpose."""
    with site.client() as client:
        answer = post(client, "/login/", {"email": EMAIL, "password": PASSWORD}, page="/login/")
        assert answer.status_code == 302, answer.text
        return client.cookies["catchall_session"]


@pytest.fixture
def ada(site: Site, session_cookie: str) -> Iterator[httpx.Client]:
    """Somebody who is logged in."""
    with site.client(cookies={"catchall_session": session_cookie}) as client:
        yield client


@pytest.fixture(scope="session")
def token(site: Site) -> str:
    from catchall.web.accounts import create_api_token

    return create_api_token(site.services, "tests")


@pytest.fixture
def api(site: Site, token: str) -> Iterator[httpx.Client]:
    """A program with a token."""
    with site.client(headers={"Authorization": f"Bearer {token}"}) as client:
        client.base_url = httpx.URL("http://localhost/api/v1")
        yield client
