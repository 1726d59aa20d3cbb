// Selects that act at once, and buttons that open dialogs.
import { onClick, one } from "./page";

export function choices(): void {
  document.addEventListener("change", (event) => {
    const select = event.target as HTMLSelectElement;
    if (select.matches("select[data-goes]") && select.value) window.location.assign(select.value);
    if (select.matches("[data-submits]")) select.form?.requestSubmit();
  });
  onClick("[data-opens]", (button) => one<HTMLDialogElement>(`#${button.dataset["opens"]}`)?.showModal());
  onClick("[data-closes]", (button) => one<HTMLDialogElement>(`#${button.dataset["closes"]}`)?.close());
  onClick("dialog", (dialog, event) => {
    if (event.target === dialog) (dialog as HTMLDialogElement).close(); // a click on the backdrop
  });
}
