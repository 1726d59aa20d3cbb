// What the tests' page runs in a browser. The page says in `window.catchall` how the SDK is to be set up.
import * as Sentry from "@sentry/browser";

Sentry.init({ environment: "test", release: "shop@1.2.3", ...window.catchall });

function priceOf(article) {
  return article.price.amount;
}

function chargeCard() {
  return Promise.reject(new RangeError("amount is negative"));
}

document.getElementById("uncaught").addEventListener("click", () => priceOf({}));
document.getElementById("rejection").addEventListener("click", () => chargeCard());
document.getElementById("handled").addEventListener("click", () => {
  try {
    priceOf(undefined);
  } catch (error) {
    Sentry.setUser({ id: `u-${4711}` });
    Sentry.captureException(error, { tags: { region: "eu-1" } });
  }
});
document.body.dataset.ready = "yes";
