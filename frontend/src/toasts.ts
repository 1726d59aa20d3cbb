// Toasts go after ten seconds, but never while they are read or pointed at.
import { all, whenDrawn } from "./page";

const SHOWN_MS = 10_000;

function start(toast: HTMLElement): void {
  toast.dataset["toast"] = "running";
  let timer = 0;
  const run = () => {
    timer = window.setTimeout(() => toast.remove(), SHOWN_MS);
  };
  const hold = () => window.clearTimeout(timer);
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("pointerleave", run);
  toast.addEventListener("focusout", run);
  toast.addEventListener("submit", () => (toast.hidden = true)); // its request is still under way: not removed yet
  run();
}

function arrived(): void {
  const toasts = all<HTMLElement>("[data-toast]");
  for (const old of toasts.slice(0, -1)) old.remove(); // one at a time: undo always means the last thing done
  const newest = toasts.at(-1);
  if (newest && newest.dataset["toast"] !== "running") start(newest);
}

export function toasts(): void {
  whenDrawn(arrived);
  document.addEventListener("htmx:oobAfterSwap", arrived);
  document.addEventListener("htmx:sendError", () => say("The server does not answer. Nothing was changed."));
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr, requestConfig } = (event as CustomEvent<{ xhr: XMLHttpRequest; requestConfig: { verb: string } }>).detail;
    if (requestConfig.verb === "get") return; // what was shown still stands; the next poll tries again
    say(`That did not work (${xhr.status}). Nothing was changed. Id to quote: ${xhr.getResponseHeader("X-Request-ID") ?? "none"}`);
  });
}

/** Tell something that has no page of its own. */
export function say(text: string): void {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.dataset["toast"] = "";
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  toast.append(paragraph);
  document.getElementById("toasts")?.append(toast);
  arrived();
}
