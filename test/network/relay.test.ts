import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
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

it("portable mode's relay does not dial for who says nothing, and of a thousand such the oldest makes room for who speaks", async () => {
  let dialled = 0;
  const server = createServer((socket) => {
    dialled += 1;
    socket.on("error", () => undefined).pipe(socket);
  });
  opened.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const relay = await openRelay(0);
  opened.unshift(relay);
  const address = server.address();
  relay.aim(typeof address === "object" ? address?.port : undefined);
  const dial = async () => {
    const socket = connect({ host: "127.0.0.1", port: relay.port });
    socket.on("error", () => undefined);
    opened.unshift({ close: () => socket.destroy() });
    await once(socket, "connect");
    return socket;
  };
  const silent = [];
  for (let count = 0; count < 1_000; count++) silent.push(await dial());
  const first = silent[0]?.resume();
  for (let speakers = 1; speakers <= 3; speakers++) {
    const speaker = await dial();
    speaker.write("hello");
    expect(String((await once(speaker, "data"))[0])).toBe("hello");
    expect(dialled).toBe(speakers);
  }
  await expect.poll(() => first?.destroyed).toBe(true);
  expect(silent[3]?.destroyed).toBe(false);
  silent[999]?.write("late");
  expect(String((await once(silent[999] as Socket, "data"))[0])).toBe("late");
});
