// Rows that are ticked, and the one under the keyboard. The row is marked, not focused, until enter opens it.
import { all, one, whenDrawn } from "./page";

export function rows(): HTMLElement[] {
  return all<HTMLElement>("[data-rows] [data-row]");
}

export function currentRow(): HTMLElement | null {
  return one<HTMLElement>("[data-row].is-current");
}

export function moveRow(by: 1 | -1): void {
  const list = rows();
  const at = list.findIndex((row) => row.classList.contains("is-current"));
  mark(list[at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, at + by))]);
}

function mark(row: HTMLElement | undefined): void {
  currentRow()?.classList.remove("is-current");
  if (!row) return;
  row.classList.add("is-current");
  row.scrollIntoView({ block: "nearest" });
  one<HTMLElement>("[data-opens-row]", row)?.focus({ preventScroll: true });
}

export function ticks(): HTMLInputElement[] {
  return all<HTMLInputElement>("[data-bulk] [data-row] input[type=checkbox]");
}

export function anythingTicked(): boolean {
  return ticks().some((tick) => tick.checked);
}

export function count(): void {
  const bar = one<HTMLElement>("[data-bulk-bar]");
  if (!bar) return;
  const list = ticks();
  const chosen = list.filter((tick) => tick.checked).length;
  bar.classList.toggle("is-shown", chosen > 0);
  const words = one("[data-bulk-count]", bar);
  if (words) words.textContent = chosen ? `${chosen} selected` : "Nothing selected";
  const everything = one<HTMLInputElement>("[data-select-all]");
  if (everything) {
    everything.checked = chosen > 0 && chosen === list.length;
    everything.indeterminate = chosen > 0 && chosen < list.length;
  }
  for (const tick of list) tick.closest("[data-row]")?.classList.toggle("is-ticked", tick.checked);
}

export function selection(): void {
  document.addEventListener("change", (event) => {
    const input = event.target as HTMLInputElement;
    if (input.matches("[data-select-all]")) for (const tick of ticks()) tick.checked = input.checked;
    if (input.closest("[data-bulk]")) count();
  });
  document.addEventListener("focusin", (event) => {
    const row = (event.target as Element).closest<HTMLElement>("[data-row]");
    if (row && !row.classList.contains("is-current")) {
      currentRow()?.classList.remove("is-current");
      row.classList.add("is-current");
    }
  });
  keepPlace();
  whenDrawn(count);
}

/** When the list is drawn anew, the mark and the ticks stay on the same issues, or on the same place. */
function keepPlace(): void {
  let place = -1;
  let ticked = new Set<string>();
  document.addEventListener("htmx:beforeSwap", (event) => {
    if ((event.target as Element).id !== "issues") return;
    place = rows().findIndex((row) => row.classList.contains("is-current"));
    const verb = (event as CustomEvent<{ requestConfig: { verb: string } }>).detail.requestConfig.verb;
    ticked = new Set(verb === "get" ? ticks().filter((tick) => tick.checked).map((tick) => tick.value) : []);
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if ((event.target as Element).id !== "issues") return;
    for (const tick of ticks()) tick.checked = ticked.has(tick.value);
    const list = rows();
    if (place >= 0 && list.length) mark(list[Math.min(place, list.length - 1)]);
    place = -1;
    count();
  });
}
