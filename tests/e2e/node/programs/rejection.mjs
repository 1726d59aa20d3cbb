import "./setup.mjs";

async function chargeCard() {
  throw new RangeError("amount is negative");
}

chargeCard();
