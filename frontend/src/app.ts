// Everything that the pages do beyond links and forms. Each part looks for its own marks (data-*) and works without
// the others; a page without scripts still shows and does everything.
import "htmx.org/dist/htmx.min.js";
import { brush } from "./brush";
import { choices } from "./choices";
import { copying } from "./copying";
import { keyboard } from "./keyboard";
import { live } from "./live";
import { selection } from "./selection";
import { theme } from "./theme";
import { times } from "./times";
import { toasts } from "./toasts";

for (const start of [theme, times, toasts, choices, copying, selection, live, brush, keyboard]) start();
