"""How a program is connected: code that works as it stands, with the project's own DSN in it."""

from collections.abc import Mapping
from typing import NamedTuple


class Snippet(NamedTuple):
    """What to install, the code, and where the code belongs."""

    install: str
    code: str
    note: str


_SNIPPETS: Mapping[str, Snippet] = {
    "python": Snippet(
        "pip install sentry-sdk",
        """import sentry_sdk

sentry_sdk.init(dsn="{dsn}")

1 / 0
""",
        "As early as the program starts. Django, Flask, FastAPI, Celery and others are found by themselves.",
    ),
    "browser": Snippet(
        "npm install @sentry/browser",
        """import * as Sentry from "@sentry/browser";

Sentry.init({ dsn: "{dsn}" });

setTimeout(() => { throw new Error("First error"); });
""",
        "In the first script of the page.",
    ),
    "node": Snippet(
        "npm install @sentry/node",
        """const Sentry = require("@sentry/node");

Sentry.init({ dsn: "{dsn}" });

setTimeout(() => { throw new Error("First error"); });
""",
        "In a file of its own, loaded before everything else: node --require ./instrument.js app.js",
    ),
    "java": Snippet(
        'implementation("io.sentry:sentry:8.+")',
        """import io.sentry.Sentry;

public class Main {
    public static void main(String[] arguments) {
        Sentry.init(options -> options.setDsn("{dsn}"));
        throw new IllegalStateException("First error");
    }
}
""",
        "In Gradle's dependencies; at the start of main.",
    ),
    "go": Snippet(
        "go get github.com/getsentry/sentry-go",
        """package main

import (
    "errors"
    "log"
    "time"

    "github.com/getsentry/sentry-go"
)

func main() {
    err := sentry.Init(sentry.ClientOptions{Dsn: "{dsn}"})
    if err != nil {
        log.Fatal(err)
    }
    defer sentry.Flush(2 * time.Second)
    sentry.CaptureException(errors.New("first error"))
}
""",
        "At the start of main.",
    ),
}


def snippets(dsn: str) -> dict[str, Snippet]:
    """The snippets of all platforms with this DSN."""
    return {name: one._replace(code=one.code.replace("{dsn}", dsn)) for name, one in _SNIPPETS.items()}
