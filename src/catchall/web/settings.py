"""Django's settings, made in code from the services: there is no settings module and no environment to get wrong."""

import hmac
from typing import Any

from django.conf import settings

from catchall.web.services import WebServices

SESSION_SECONDS = 14 * 86_400
MIDDLEWARE = (
    "catchall.web.middleware.identify_and_protect",
    "catchall.web.api.application.problems_for_all",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "catchall.web.permissions.Gate",
    "catchall.web.pages.errors.StoreTrouble",
)
SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000"


def derive(secret: bytes, purpose: str) -> str:
    """A key of its own for each purpose, so that one of them leaking gives away no other."""
    return hmac.digest(secret, purpose.encode(), "sha256").hex()


def configure(services: WebServices) -> None:
    """Set Django up for this process. Django can be configured once only: a second call with another folder fails."""
    values = settings_of(services)
    if settings.configured:
        if settings.DATABASES["default"]["NAME"] != values["DATABASES"]["default"]["NAME"]:
            raise RuntimeError("this process already serves another data folder")
        return
    settings.configure(**values)


def settings_of(services: WebServices) -> dict[str, Any]:
    """All settings that differ from Django's defaults."""
    secure = services.base_url.startswith("https://")
    return {
        "DEBUG": False,
        "SECRET_KEY": derive(services.secret, "web secret key"),
        # No address is ever built from the Host header (base_url is), and every page but login needs a session.
        "ALLOWED_HOSTS": ["*"],
        "ROOT_URLCONF": "catchall.web.urls",
        "INSTALLED_APPS": [
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django.contrib.sessions",
            "django.contrib.messages",
            "catchall.web.people",
        ],
        "MIDDLEWARE": list(MIDDLEWARE),
        "DATABASES": {"default": _database(services)},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "AUTH_USER_MODEL": "people.User",
        "PASSWORD_HASHERS": [
            "django.contrib.auth.hashers.ScryptPasswordHasher",
            "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        ],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
            for name, options in (
                ("UserAttributeSimilarityValidator", {"user_attributes": ("email",)}),
                ("MinimumLengthValidator", {"min_length": 10}),
                ("CommonPasswordValidator", {}),
            )
        ],
        "TEMPLATES": [_templates()],
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "USE_I18N": False,
        "LOGIN_URL": "/login/",
        "SESSION_COOKIE_NAME": "catchall_session",
        "SESSION_COOKIE_AGE": SESSION_SECONDS,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": secure,
        "CSRF_COOKIE_NAME": "catchall_csrf",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_SECURE": secure,
        "CSRF_FAILURE_VIEW": "catchall.web.pages.errors.csrf_refused",
        "MESSAGE_STORAGE": "django.contrib.messages.storage.cookie.CookieStorage",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 1024 * 1024,
        "DATA_UPLOAD_MAX_NUMBER_FIELDS": 2000,
        "LOGGING_CONFIG": None,  # the process that runs us has set logging up
    }


def _database(services: WebServices) -> dict[str, Any]:
    # IMMEDIATE: a deferred transaction that turns writer fails at once when another process writes.
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(services.data_dir / "people.db"),
        "CONN_MAX_AGE": None,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 5, "init_command": SQLITE_PRAGMAS},
    }


def _templates() -> dict[str, Any]:
    return {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [],
        "APP_DIRS": False,
        "OPTIONS": {"environment": "catchall.web.drawing.rendering.environment"},
    }
