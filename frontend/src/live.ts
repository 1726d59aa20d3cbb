// Live lists: asks while the page is seen, announces what is new, and brings it in by itself only where nobody is
// reading: at the top, in the order of time, with nothing ticked.
import { all, one } from "./page";
import { anythingTicked, currentRow } from "./selection";

const TICK_MS = 1_000; // somebody who waits for the first event is asked for every tick
const TICKS_PER_POLL = 4;
const AT_TOP_PX = 120;

function nobodyReads(): boolean {
  const list = one<HTMLElement>("#issues");
  if (!list || list.dataset["sort"] !== "last_seen" || !list.dataset["firstPage"]) return false;
  return window.scrollY < AT_TOP_PX && !anythingTicked() && !currentRow() && !one("#issues details[open]");
}

export function live(): void {
  let ticks = 0;
  window.setInterval(() => {
    if (document.visibilityState !== "visible") return;
    ticks += 1;
    const asked = ticks % TICKS_PER_POLL ? "[data-poll-fast]" : "[hx-trigger='catchall:poll']";
    for (const element of all(asked)) element.dispatchEvent(new CustomEvent("catchall:poll"));
  }, TICK_MS);
  document.addEventListener("htmx:afterSettle", () => {
    const news = one<HTMLElement>("#live [data-live-count]");
    if (news && !news.dataset["taken"] && nobodyReads()) {
      news.dataset["taken"] = "yes";
      news.click();
    }
  });
}
