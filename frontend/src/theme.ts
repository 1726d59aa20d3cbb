// Light, dark, or as the system says. Kept in a cookie, so that the server draws the right one at once.
import { all, onClick } from "./page";

const ORDER = ["system", "light", "dark"];
const YEAR_SECONDS = 365 * 86_400;

export function theme(): void {
  onClick("[data-theme-switch]", () => {
    const now = document.documentElement.dataset["theme"] ?? "system";
    const next = ORDER[(ORDER.indexOf(now) + 1) % ORDER.length] ?? "system";
    if (next === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = next;
    const age = next === "system" ? 0 : YEAR_SECONDS;
    document.cookie = `catchall_theme=${next}; path=/; max-age=${age}; samesite=lax`;
    for (const name of all("[data-theme-name]")) name.textContent = next;
  });
}
