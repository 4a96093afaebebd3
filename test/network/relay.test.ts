import { once } from "node:events";
import { connect, createServer } from "node:net";
import { afterEach, expect, it } from "vitest";
import { openRelay } from "../../src/network/relay.ts";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

it("portable mode's relay brings a long answer whole to a client that has ended what it says", async () => {
  const answer = Buffer.alloc(8 * 1024 * 1024, "perch");
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.resume().on("end", () => socket.end(answer)));
  opened.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const relay = await openRelay(0);
  opened.unshift(relay);
  const address = server.address();
  relay.aim(typeof address === "object" ? address?.port : undefined);
  const client = connect({ host: "127.0.0.1", port: relay.port, allowHalfOpen: true });
  client.end("a question");
  let read = 0;
  for await (const chunk of client as AsyncIterable<Buffer>) read += chunk.length;
  expect(read).toBe(answer.length);
});
