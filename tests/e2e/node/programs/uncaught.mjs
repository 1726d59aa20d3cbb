import "./setup.mjs";

function totalOf(cart) {
  const password = "hunter2-secret";
  return cart.lines.length + password.length;
}

totalOf({});
