import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { type Choices, choicesOf } from "../choices.ts";
import { eventually, listening } from "../sockets.ts";
import { built, type Target } from "../target.ts";

/**
 * The relay of the portable mode before two servers: `echo` says back what it hears, with its own letter in front; `deaf` breaks off at once. An input says who
 * comes, what each does, and where the relay is aimed meanwhile.
 */
export const relay: Target = {
  name: "relay",
  claim:
    "the relay of the portable mode brings every byte to one server, in order and back, whatever clients do and wherever it is aimed, and keeps no connection",
  covers: ["network/relay", "host/join"],
  seeds: [Buffer.from([3, 0, 200, 1, 50, 0, 2, 9, 9, 9, 1, 3, 4]), Buffer.from([1, 3, 4, 0, 0, 255, 3, 1, 2, 8, 8, 4, 250, 1]), Buffer.alloc(40, 7)],
  tokens: [],
  longest: 300,
  runs: 700,
  async open() {
    const { openRelay } = await built<typeof import("../../../src/network/relay.ts")>("network/relay");
    const echo = await listening((socket) => void socket.pipe(socket));
    const deaf = await listening((socket) => socket.resetAndDestroy());
    const opened = await openRelay(0);
    const targets = [echo.port, deaf.port, "held", undefined, 1] as const;
    let aimed: (typeof targets)[number];
    let aims = 0;
    function aim(to: (typeof targets)[number]): void {
      if (to !== aimed) aims++;
      opened.aim((aimed = to));
    }

    /** One client: says bytes in pieces, then ends, breaks off or waits; what came back must be the beginning of what it said, and all of it where nothing was in the way. */
    async function client(choices: Choices): Promise<void> {
      const [atFirst, aimsBefore] = [aimed, aims];
      const size = choices.pick([0, 1, 100, 70_000, 300_000]);
      const said = Buffer.alloc(size, choices.take(7).toString("hex") || "x");
      const socket = connect({ host: "127.0.0.1", port: opened.port, allowHalfOpen: true });
      socket.on("error", () => undefined);
      const heard: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => heard.push(chunk));
      const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      const pieces = 1 + choices.below(5);
      for (let at = 0; at < pieces; at++) socket.write(said.subarray(Math.floor((size * at) / pieces), Math.floor((size * (at + 1)) / pieces)));
      if (choices.once(6)) socket.pause();
      const how = choices.pick(["end", "end", "end", "reset", "destroy"] as const);
      if (how === "end") socket.end();
      else {
        await Promise.race([once(socket, "connect"), closed]);
        if (how === "reset") socket.resetAndDestroy();
        else socket.destroy();
      }
      if (choices.once(4)) aim(choices.pick(targets));
      if (aimed === "held") aim(choices.pick(targets.filter((target) => target !== "held")));
      socket.resume();
      await closed;
      const back = Buffer.concat(heard);
      assert.ok(said.subarray(0, back.length).equals(back), "what came back is not what was said");
      if (how === "end" && atFirst === echo.port && aims === aimsBefore) assert.equal(back.length, size, "something is missing");
    }

    return {
      async run(input) {
        const choices = choicesOf(input);
        aim(choices.pick(targets));
        await Promise.all(Array.from({ length: 1 + choices.below(4) }, () => client(choices)));
        aim(undefined);
        aim(echo.port);
        const whole = await new Promise<Buffer>((resolve) => {
          const chunks: Buffer[] = [];
          const socket = connect({ host: "127.0.0.1", port: opened.port, allowHalfOpen: true });
          socket.on("data", (chunk: Buffer) => chunks.push(chunk));
          socket.on("close", () => resolve(Buffer.concat(chunks)));
          socket.on("error", () => undefined);
          socket.end("another one");
        });
        assert.equal(whole.toString(), "another one");
        await eventually("every connection has ended", async () => {
          const [one, other] = await Promise.all(
            [echo, deaf].map(({ server }) => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)))),
          );
          return one === 0 && other === 0;
        });
      },
      async close() {
        await opened.close();
        await Promise.all([echo.close(), deaf.close()]);
        return {};
      },
    };
  },
};
