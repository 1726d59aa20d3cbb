"""What the command line needs of people's data: a way in, without the pages running."""

from catchall.web.application import prepare
from catchall.web.services import WebServices

# The models can be imported only after `prepare` has set Django up: hence the imports inside the functions.


def create_login_link(services: WebServices) -> str:
    """A new one-time login link as an absolute address, good for a day."""
    prepare(services)
    from catchall.web.people.links import make_link

    return make_link(services)


def first_login_link(services: WebServices) -> str | None:
    """A login link as long as nobody has an account; afterwards people log in with their passwords."""
    prepare(services)
    from django.contrib.auth import get_user_model

    from catchall.web.people.links import make_link

    return None if get_user_model().objects.exists() else make_link(services)


def create_api_token(services: WebServices, name: str) -> str:
    """A new API token of the installation itself. It is shown this once: only its hash is kept."""
    prepare(services)
    from catchall.web.people.links import moment
    from catchall.web.people.tokens import make_token

    return make_token(name, moment(services.clock()))
