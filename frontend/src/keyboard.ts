// One key, one act; `?` lists them. Nothing is taken from somebody who types, or from the browser's own keys.
import { copy } from "./copying";
import { all, one } from "./page";
import { count, currentRow, moveRow, rows, ticks } from "./selection";

const SECOND_KEY_MS = 1_500;
const PLACES: Record<string, string> = { i: "/issues/", p: "/projects/", l: "/ledger/", d: "/dead-letters/" };

let waitingForPlace = 0;

function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement;
  if (element.isContentEditable || element.matches("textarea, select")) return true;
  return element.matches("input") && !element.matches("input[type=checkbox]");
}

function click(selector: string): boolean {
  const element = one<HTMLElement>(selector);
  element?.click();
  return element !== null;
}

function moveFrame(by: 1 | -1): boolean {
  const frames = all<HTMLElement>("[data-frame]").filter((frame) => frame.offsetParent !== null);
  if (!frames.length) return false;
  const at = frames.findIndex((frame) => frame.contains(document.activeElement));
  const next = frames[at < 0 ? (by > 0 ? 0 : frames.length - 1) : Math.min(frames.length - 1, Math.max(0, at + by))];
  const stop = next && (one<HTMLElement>("summary", next) ?? next);
  if (stop && stop.tagName !== "SUMMARY") stop.tabIndex = -1;
  stop?.focus();
  return true;
}

function move(by: 1 | -1): boolean {
  if (!rows().length) return moveFrame(by);
  moveRow(by);
  return true;
}

function toggleTick(): boolean {
  const tick = currentRow()?.querySelector<HTMLInputElement>("input[type=checkbox]");
  if (!tick) return false;
  tick.checked = !tick.checked;
  count();
  return true;
}

/** Resolve or ignore: the page's own button, or the ticked rows, or the row under the mark. */
function triage(key: string, state: string): boolean {
  if (click(`[data-key="${key}"]`)) return true;
  const chosen = ticks().filter((tick) => tick.checked);
  const row = currentRow();
  if (!chosen.length && row) {
    const tick = row.querySelector<HTMLInputElement>("input[type=checkbox]");
    if (tick) tick.checked = true;
  }
  if (!ticks().some((tick) => tick.checked)) return false;
  return click(`[data-bulk-bar] button[value=${state}]`);
}

function act(key: string): boolean {
  switch (key) {
    case "?":
      return click('[data-opens="shortcuts"]');
    case "/": {
      const search = one<HTMLInputElement>("[data-search]");
      search?.focus();
      search?.select();
      return search !== null;
    }
    case "g":
      waitingForPlace = Date.now();
      return true;
    case "j":
      return move(1);
    case "k":
      return move(-1);
    case "x":
      return toggleTick();
    case "e":
      return triage("e", "resolved");
    case "i":
      return triage("i", "ignored");
    case "u":
      return click("[data-undo]");
    case "[":
    case "]":
      return click(`[data-key="${key}"]`);
    case ".":
      void copy(window.location.href, null);
      return true;
    case "Enter":
      return openRow();
    default:
      return false;
  }
}

function openRow(): boolean {
  const active = document.activeElement;
  if (active && active !== document.body) return false; // the browser opens what has the focus
  const link = currentRow()?.querySelector<HTMLElement>("[data-opens-row]");
  link?.click();
  return Boolean(link);
}

/** Leave a field as it was: what was typed and not sent is no wish to search. */
function leave(field: HTMLInputElement): void {
  if (field.matches("input")) field.value = field.defaultValue;
  field.blur();
}

export function keyboard(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape" && isTyping(event.target)) {
      event.preventDefault();
      return leave(event.target as HTMLInputElement);
    }
    const chooses = (event.target as HTMLElement).matches("select") && event.key === "/"; // no option begins with it
    if ((isTyping(event.target) && !chooses) || one("dialog[open]")) return;
    const place = Date.now() - waitingForPlace < SECOND_KEY_MS ? PLACES[event.key] : undefined;
    waitingForPlace = 0;
    if (place) {
      event.preventDefault();
      window.location.assign(place);
    } else if (act(event.key)) event.preventDefault();
  });
}
