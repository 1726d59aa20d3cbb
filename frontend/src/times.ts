// Times grow older while a page is open: "3 min ago" is kept true, and the exact time is given in the reader's zone too.
import { all, whenDrawn } from "./page";

const REFRESH_MS = 15_000;
const UNITS: [number, number, string][] = [
  [60, 1, " s"],
  [3600, 60, " min"],
  [86_400, 3600, " h"],
  [14 * 86_400, 86_400, " d"],
  [365 * 86_400, 7 * 86_400, " wk"],
  [Infinity, 365 * 86_400, " y"],
];

function words(seconds: number): string {
  if (seconds < 10) return "now";
  const [, size, unit] = UNITS.find(([below]) => seconds < below) ?? [0, 1, " s"];
  return `${Math.floor(seconds / size)}${unit} ago`;
}

function refresh(): void {
  const now = Date.now();
  for (const element of all<HTMLTimeElement>("time[data-ago]")) {
    const text = words((now - Date.parse(element.dateTime)) / 1000);
    const shown = "short" in element.dataset ? text.replace(" ago", "") : text;
    if (element.textContent !== shown) element.textContent = shown;
  }
}

export function times(): void {
  const zone = Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
  whenDrawn((part) => {
    for (const element of all<HTMLTimeElement>("time[title]", part)) {
      if (element.dataset["zoned"]) continue;
      element.dataset["zoned"] = "yes";
      element.title += `\n${zone.format(Date.parse(element.dateTime))}`;
    }
  });
  setInterval(refresh, REFRESH_MS);
}
