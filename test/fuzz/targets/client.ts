import assert from "node:assert/strict";
import { join } from "node:path";
import { choicesOf } from "../choices.ts";
import { cut, listening, scratch } from "../sockets.ts";
import { built, texts, type Target } from "../target.ts";

const answer = (status: string, body: string, ...headers: string[]) =>
  `\0\0\0HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers.map((header) => `${header}\r\n`).join("")}\r\n${body}`;

/**
 * What calls: the first byte says which. Each must come to an end when the daemon has said what it says and hung up.
 */
export const client: Target = {
  name: "client",
  claim: "a command whose daemon says any bytes ends with an answer or an error of the register, and so does a tunnel",
  covers: ["client", "connection", "frames", "tunnel", "target"].map((part) => `client/${part}`),
  seeds: texts(
    answer("200 OK", "[]"),
    `\x01${answer("200 OK", '{"progress":"x"}\n{"result":{}}\n').slice(1)}`,
    `\x02${answer("200 OK", '{"id":1}\n{"error":{"code":"internal","message":"x","next":""}}\n').slice(1)}`,
    `\x03\0\0HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: perch-proxy\r\n\r\nR`,
    `\x03${answer("503 x", '{"error":{"code":"target_unreachable","message":"x","next":"y"}}').slice(1)}`,
    `\x04${answer("404 Not Found", '{"error":{"code":"app_not_found","message":"x","next":"y"}}', "Connection: close").slice(1)}`,
    '\x02\x02\x05HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"a":1}\n\r\n0\r\n\r\n',
  ),
  tokens: [
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.0",
    "\r\n\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 99999999\r\n",
    '"error":',
    "null",
    "{",
    "[",
    "\n",
    "\0",
    "Upgrade: x\r\n",
  ],
  longest: 20_000,
  runs: 1_500,
  async open() {
    const [{ clientOf }, { PerchError }] = await Promise.all([
      built<typeof import("../../../src/client/client.ts")>("client/client"),
      built<typeof import("../../../src/errors/error.ts")>("errors/error"),
    ]);
    const place = scratch();
    const path = join(place.path, "perchd.sock");
    let says: Buffer[] = [];
    const daemon = await listening((socket) => {
      for (const piece of says) socket.write(piece);
      socket.resume().end();
    }, path);
    const perch = clientOf({ socket: path, root: place.path });
    const calls: readonly (() => Promise<unknown>)[] = [
      () => perch.call("listApps", {}),
      () => perch.call("restartCluster", { params: { cluster: "pg" } }),
      async () => {
        for await (const item of perch.feed("events", {})) assert.notEqual(item, undefined);
      },
      async () => {
        const socket = await perch.tunnel({ host: "pg.internal" });
        socket.end().resume();
        await new Promise((resolve) => (socket.destroyed ? resolve(undefined) : socket.once("close", resolve)));
      },
      () =>
        perch.call(
          "setSecrets",
          { params: { app: "web" }, body: { secrets: { A: "b" } } },
          { signal: new AbortController().signal },
        ),
    ];
    return {
      async run(input) {
        const choices = choicesOf(input);
        const call = choices.pick(calls);
        const lengths = Array.from({ length: choices.below(5) }, () => choices.below(200));
        says = cut(input.subarray(input.length - choices.left), lengths);
        await call().catch((error: unknown) => {
          if (!(error instanceof PerchError)) throw error;
        });
      },
      async close() {
        await daemon.close();
        place.remove();
        return {};
      },
    };
  },
};
