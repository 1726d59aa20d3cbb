// What every program begins with: the SDK, as its documentation says to set it up.
import * as Sentry from "@sentry/node";

Sentry.init({
  dsn: process.env.CATCHALL_DSN,
  environment: "test",
  release: "shop@1.2.3",
});

export { Sentry };
