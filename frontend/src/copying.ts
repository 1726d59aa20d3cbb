// Copy buttons. Over plain http there is no clipboard: then the text is selected, ready for ctrl-c.
import { onClick } from "./page";
import { say } from "./toasts";

export async function copy(text: string, source: Element | null): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied");
  } catch {
    if (source) window.getSelection()?.selectAllChildren(source);
    say(source ? "Selected: press ctrl+c to copy" : text);
  }
}

export function copying(): void {
  onClick("[data-copy]", (button) => void copy(button.dataset["copy"] ?? "", null));
  onClick("[data-copy-from]", (button) => {
    const source = document.getElementById(button.dataset["copyFrom"] ?? "");
    void copy(source?.textContent ?? "", source);
  });
}
