import { Sentry } from "./setup.mjs";

Sentry.captureMessage("stock is low", "warning");
await Sentry.flush(5000);
