// Live lists: asks while the page is seen, announces what is new, and brings it in by itself only where nobody is
// reading: at the top, in the order of time, with nothing ticked.
import { all, one } from "./page";
import { anythingTicked, currentRow } from "./selection";

const POLL_MS = 4_000;
const AT_TOP_PX = 120;

function nobodyReads(): boolean {
  const list = one<HTMLElement>("#issues");
  if (!list || list.dataset["sort"] !== "last_seen" || !list.dataset["firstPage"]) return false;
  return window.scrollY < AT_TOP_PX && !anythingTicked() && !currentRow() && !one("#issues details[open]");
}

export function live(): void {
  window.setInterval(() => {
    if (document.visibilityState !== "visible") return;
    for (const element of all("[hx-trigger~='catchall:poll']")) element.dispatchEvent(new CustomEvent("catchall:poll"));
  }, POLL_MS);
  document.addEventListener("htmx:afterSettle", () => {
    const news = one<HTMLElement>("#live [data-live-count]");
    if (news && !news.dataset["taken"] && nobodyReads()) {
      news.dataset["taken"] = "yes";
      news.click();
    }
  });
}
