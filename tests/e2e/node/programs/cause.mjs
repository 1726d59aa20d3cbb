import { Sentry } from "./setup.mjs";

function readStock() {
  throw new Error("connection to stock lost");
}

function placeOrder() {
  try {
    readStock();
  } catch (error) {
    throw new TypeError("order not placed", { cause: error });
  }
}

try {
  placeOrder();
} catch (error) {
  Sentry.withScope((scope) => {
    scope.setTag("region", "eu-1");
    scope.setUser({ id: `u-${4711}`, email: ["jane.doe", "example.com"].join("@") });
    scope.setExtra("attempt", 3);
    Sentry.addBreadcrumb({ category: "cart", message: "put a book into the cart", level: "info" });
    Sentry.captureException(error);
  });
}
await Sentry.flush(5000);
