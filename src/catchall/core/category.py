"""What kind of fault: a guess by the names of exceptions, the libraries that raised them, and the words of messages.

Names are those of the usual drivers and clients of each language. The order of the tables is the order of belief: a
timeout of a database is a timeout, because that is what one does something about.
"""

from functools import lru_cache

from catchall.core import limits
from catchall.core.event import Category, Frame
from catchall.core.scrub.patterns import compile_bytes

_Names = tuple[tuple[Category, tuple[str, ...]], ...]

# Parts of the exception's name, lower case.
_TYPE_PARTS: _Names = (
    ("timeout", ("timeout", "timedout", "deadlineexceeded", "timelimitexceeded")),
    (
        "resource",
        (
            "memoryerror", "outofmemory", "stackoverflow", "recursionerror", "toomanyopenfiles", "enospc", "emfile",
            "diskfull", "quotaexceeded", "resourceexhausted", "toomanyconnections", "poolexhausted",
        ),
    ),
    (
        "database",
        (
            "operationalerror", "integrityerror", "programmingerror", "databaseerror", "dataerror", "interfaceerror",
            "sqlexception", "sqlerror", "dberror", "hibernate", "jdbc", "deadlock", "uniqueviolation",
            "undefinedtable", "undefinedcolumn", "foreignkey", "sqlite", "postgres", "mysql", "mongo", "redis",
            "sequelize", "prisma", "typeorm", "activerecord", "doesnotexist", "multipleobjectsreturned",
            "optimisticlock", "lockacquisition", "pdoexception", "dbupdate", "ecto.", "cassandra", "elasticsearch",
            "queryfailed",
        ),
    ),
    (
        "network",
        (
            "connectionerror", "connectionrefused", "connectionreset", "connectionaborted", "brokenpipe", "econn",
            "enotfound", "ehostunreach", "enetunreach", "eai_again", "epipe", "sockete", "gaierror", "unknownhost",
            "noroutetohost", "nameresolution", "sslerror", "sslexception", "sslhandshake", "tlserror", "certificate",
            "networkerror", "urlerror", "unreachable", "remotedisconnected", "incompleteread", "protocolerror",
            "webexception",
        ),
    ),
    (
        "dependency",
        (
            "httperror", "httpexception", "httpstatus", "axioserror", "clienterror", "apierror", "apiexception",
            "apistatuserror", "badgateway", "serviceunavailable", "ratelimit", "toomanyrequests", "throttl",
            "responseerror", "httprequest", "feign", "restclient", "grpc", "rpcerror", "rpcexception", "botocore",
            "upstream", "gatewayerror", "chunkloaderror", "modulenotfound", "importerror", "webhook", "stripe",
        ),
    ),
    (
        "validation",
        (
            "validation", "valueerror", "invalidargument", "illegalargument", "argumentexception", "argumenterror",
            "argumentnull", "argumentoutofrange", "badrequest", "parseerror", "parseexception", "syntaxerror",
            "jsondecode", "decodeerror", "encodeerror", "unicode", "numberformat", "dateformat", "formatexception",
            "schema", "zoderror", "invalidinput", "constraintviolation", "unprocessable", "deserializ", "malformed",
        ),
    ),
)  # fmt: skip
# Where the innermost frame, or the exception's own class, comes from.
_MODULES: _Names = (
    (
        "database",
        (
            "psycopg", "psycopg2", "asyncpg", "sqlite3", "pymysql", "mysql", "mysqldb", "sqlalchemy", "django.db",
            "pymongo", "redis", "cassandra", "elasticsearch", "org.postgresql", "com.mysql", "org.hibernate",
            "java.sql", "npgsql", "system.data", "microsoft.data", "database/sql", "github.com/jackc/pgx",
            "github.com/lib/pq", "gorm.io", "active_record", "activerecord", "pg", "mongodb", "sequelize", "knex",
            "typeorm", "doctrine", "cx_oracle",
        ),
    ),
    ("network", ("socket", "ssl", "urllib3.connection", "asyncio.streams", "java.net", "net", "node:net", "node:tls")),
    (
        "dependency",
        (
            "requests", "httpx", "aiohttp", "urllib.request", "urllib3", "botocore", "boto3", "grpc", "stripe",
            "axios", "okhttp3", "retrofit2", "feign", "guzzlehttp", "faraday", "node:http", "openai",
            "google.api_core",
        ),
    ),
    ("validation", ("pydantic", "marshmallow", "jsonschema", "cerberus", "voluptuous", "zod", "joi", "ajv")),
)  # fmt: skip
# Words of messages, for exceptions whose name says nothing.
_WORDS: tuple[tuple[Category, tuple[str, ...]], ...] = (
    ("timeout", ("timed? ?-?out", "deadline exceeded", "ETIMEDOUT", "took too long")),
    (
        "resource",
        (
            "out of memory", "no space left", "disk (?:is )?full", "too many open files", "quota exceeded",
            "cannot allocate memory", "ENOSPC", "EMFILE",
        ),
    ),
    (
        "database",
        (
            "deadlock", "duplicate (?:key|entry)", "syntax error at or near", "no such (?:table|column)",
            "database is locked", "SQLSTATE", "ORA-[0-9]{5}",
        ),
    ),
    (
        "network",
        (
            "connection (?:refused|reset|aborted|closed|lost)", "ECONN(?:REFUSED|RESET|ABORTED)", "ENOTFOUND",
            "EAI_AGAIN", "getaddrinfo", "name resolution", "network (?:error|is unreachable)", "no route to host",
            "broken pipe", "socket hang up", "failed to fetch", "certificate (?:verify|has)",
        ),
    ),
    (
        "dependency",
        (
            "bad gateway", "service unavailable", "gateway time", "rate limit", "too many requests",
            "status code [45][0-9]{2}", "loading (?:CSS )?chunk",
        ),
    ),
    (
        "validation",
        (
            "invalid", "malformed", "must be", "is required", "not valid", "(?:cannot|could not) parse",
            "unexpected token",
        ),
    ),
)  # fmt: skip
_MESSAGES = tuple((category, compile_bytes(f"(?i){'|'.join(words)}".encode())) for category, words in _WORDS)
_ANY_MESSAGE = compile_bytes(f"(?i){'|'.join('|'.join(words) for _, words in _WORDS)}".encode())
# Names that say only that something went wrong: the message knows more.
_PLAIN_TYPES = frozenset(
    (
        "", "error", "exception", "runtimeerror", "runtimeexception", "oserror", "ioerror", "ioexception",
        "domexception", "typeerror", "systemerror", "throwable", "unhandledrejection", "executionexception",
        "completionexception", "*errors.errorstring", "errorexception", "standarderror", "aggregateexception",
        "aggregateerror", "fatal error", "*fmt.wraperror", "uncaughtexception",
    )
)  # fmt: skip


def category_of(error_type: str, module: str, message: str, innermost: Frame | None) -> Category:
    """A fault's category. `module`: of the exception's class; `innermost`: the frame that raised."""
    where = (innermost.module or innermost.filename) if innermost is not None else ""
    known = _of_names(error_type, module, where)
    if known is None and error_type.lower() in _PLAIN_TYPES:
        known = _of_message(message)
    return known or "code"


@lru_cache(limits.TEXTS_REMEMBERED_MAX)
def _of_names(error_type: str, module: str, where: str) -> Category | None:
    name = error_type.lower()
    for category, parts in _TYPE_PARTS:
        if any(part in name for part in parts):
            return category
    places = [place.lower() for place in (module, where) if place]
    for category, modules in _MODULES:
        starts = tuple(f"{start}{joint}" for start in modules for joint in "./")
        if any(place in modules or place.startswith(starts) for place in places):
            return category
    return None


def _of_message(message: str) -> Category | None:
    data = message.encode("utf-8", "replace")
    if _ANY_MESSAGE.search(data) is None:
        return None
    return next(category for category, pattern in _MESSAGES if pattern.search(data) is not None)
