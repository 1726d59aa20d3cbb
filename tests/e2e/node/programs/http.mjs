import { Sentry } from "./setup.mjs";
import { createServer } from "node:http";

function showBasket(request) {
  throw new Error(`no basket for ${request.method}`);
}

const server = createServer((request, answer) => {
  try {
    showBasket(request);
  } catch (error) {
    Sentry.captureException(error);
    answer.writeHead(500).end();
  }
});
server.listen(0, "127.0.0.1", async () => {
  await fetch(`http://127.0.0.1:${server.address().port}/basket?page=2`, { headers: { "User-Agent": "e2e/1" } });
  await Sentry.flush(5000);
  server.close();
});
