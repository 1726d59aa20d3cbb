"""The Django app of people's data."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """`people`: users, one-time links, tokens, login attempts."""

    name = "catchall.web.people"
    label = "people"
