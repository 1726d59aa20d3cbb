// Selects that act at once, and buttons that open dialogs.
import { onClick, one } from "./page";

/** Enter in the search field is a change, a submit and a search at once: one request and one step back, not three. */
function filters(): void {
  let asked = 0;
  for (const kind of ["change", "submit", "search"]) {
    document.addEventListener(kind, (event) => {
      const form = (event.target as Element).closest("form[data-filters]");
      if (!form) return;
      if (kind === "submit") event.preventDefault();
      window.clearTimeout(asked);
      asked = window.setTimeout(() => form.dispatchEvent(new CustomEvent("catchall:filter")), 0);
    });
  }
}

export function choices(): void {
  filters();
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
