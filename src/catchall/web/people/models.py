"""Users, one-time login links, API tokens and failed logins. Secrets are stored as hashes only."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone

EMAIL_CHARS_MAX = 254  # RFC 5321, 4.5.3.1.3 (a path, without its brackets)
NAME_CHARS_MAX = 100


class Users(BaseUserManager["User"]):
    """Finds and makes users."""

    def create_user(self, email: str, password: str, **values: Any) -> "User":
        """A new user who logs in with `email` and `password`. Raises IntegrityError when the address is taken."""
        user = User(email=normal_email(email), **values)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find by e-mail address, whatever its case."""
        return self.get(email=normal_email(username or ""))


def normal_email(email: str) -> str:
    """The form in which an address is stored and compared: nobody has two accounts that differ in case."""
    return email.strip().lower()


class User(AbstractBaseUser):
    """Somebody who can log in. The e-mail address is the name."""

    email = models.EmailField(max_length=EMAIL_CHARS_MAX, unique=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = Users()

    class Meta:
        """Names for people."""

        verbose_name = "user"

    def __str__(self) -> str:
        return self.email


class LoginLink(models.Model):
    """A one-time login link, known by its hash. `used_at` says that it is spent."""

    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"login link of {self.created_at:%Y-%m-%d %H:%M}"


class ApiToken(models.Model):
    """A bearer token of the API, known by its hash. `start`: its first characters, to tell tokens apart."""

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=NAME_CHARS_MAX)
    start = models.CharField(max_length=16)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    @property
    def acts_as(self) -> str:
        """How the history names what this token did."""
        return f"{self.user.email} ({self.name})" if self.user else self.name


class LoginThrottle(models.Model):
    """Failed logins of one account or address within a window. `key_hash`: what is counted, hashed."""

    key_hash = models.CharField(max_length=64, primary_key=True)
    attempts = models.PositiveIntegerField(default=0)
    window_start = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.attempts} attempts since {self.window_start:%H:%M}"
