import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, isIP } from "node:net";
import { checkConnection } from "../answers.ts";
import { type Choices, choicesOf } from "../choices.ts";
import { networkTools, openNetwork } from "../network.ts";
import { randomOf } from "../random.ts";
import { eventually } from "../sockets.ts";
import type { Target } from "../target.ts";

// A name without an address is waited for, for eight seconds: of those there are none here.
const inside = ["pg.internal", "PG.INTERNAL.", "nobody.internal", "[fdaa::3]", "fdaa::3", "localhost", "pg.flycast"];
const outside = [
  "127.0.0.1",
  "[::1]",
  "::ffff:127.0.0.1",
  "example.com",
  "1.1.1.1",
  "fdaa:1:2::3",
  "pg",
  "pg.internal.example.com",
  "0",
  "0x7f.1",
  "fe80::1%lo",
  "a@pg.internal",
  ".internal",
  "..",
  "\0",
  "é.internal",
  "pg\r\nX: y.internal",
  "x".repeat(250),
];
const ports = ["", "5432", "5433", "53", "1", "0", "-1", "65536", "5e3", "5432 ", "0x1538", "5432&port=1"];

/** Upgrades by the hundred: where to, how it is asked, and what is said once one is open. */
export const proxy: Target = {
  name: "proxy",
  claim:
    "a request to upgrade leads into the network or to an error of the register, never out of it, whatever is said before and after, and none is left open",
  covers: ["server/http/proxy", "model/proxy-target", "network/dialler"],
  seeds: Array.from({ length: 100 }, (_, index) => randomOf(index).bytes(80)),
  tokens: [],
  longest: 600,
  needs: networkTools,
  runs: 150,
  async open(coverage) {
    const network = await openNetwork(coverage);
    const path = network.home.socket;
    const files = network.files();
    let tunnels = 0;

    async function head(choices: Choices): Promise<{ status: number; host: string }> {
      const host = choices.pick(choices.once(3) ? outside : inside);
      const port = choices.pick(choices.once(2) ? ports.slice(0, 4) : ports);
      const query = [
        `host=${encodeURIComponent(host)}`,
        port === "" ? "" : `port=${port.replaceAll(" ", "+")}`,
        choices.once(5) ? "region=lhr" : "",
        choices.once(20) ? "x=1" : "",
      ];
      const protocol = choices.once(12)
        ? choices.pick(["websocket", "h2c", "perch-proxy, x", ""])
        : choices.pick(["perch-proxy", "PERCH-PROXY"]);
      const method = choices.once(20) ? "GET" : "POST";
      const more = choices.once(10)
        ? `X: ${choices
            .take(20)
            .toString("latin1")
            .replaceAll(/[^ -~]/g, "?")}\r\n`
        : "";
      const early = choices.once(2) ? choices.take(choices.below(60)) : Buffer.alloc(0);
      const socket = connect({ path, allowHalfOpen: true });
      socket.on("error", () => undefined);
      const heard: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => heard.push(chunk));
      const closed = new Promise((resolve) => socket.once("close", resolve));
      const all = () => Buffer.concat(heard).toString("utf8");
      socket.write(
        `${method} /v1/proxy?${query.filter(Boolean).join("&")} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${more}\r\n`,
      );
      socket.write(early);
      if (choices.once(8)) socket.destroy();
      else {
        await eventually(
          "there is an answer",
          () => all().includes("\r\n\r\n") || socket.readableEnded || socket.destroyed,
        );
        socket.write(choices.take(choices.below(200)));
        if (choices.once(4)) socket.destroy();
        else socket.end();
      }
      await closed;
      const said = all();
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(said)?.[1] ?? 0);
      // What came behind a request that did not become a tunnel may be another, with an answer of its own.
      checkConnection(said, "");
      return { status, host };
    }

    return {
      elsewhere: true,
      async run(input) {
        const { status, host } = await head(choicesOf(input));
        if (status === 101) {
          tunnels++;
          assert.ok(inside.includes(host), `a way out of the network to ${host}`);
        }
        if (isIP(host) === 4) assert.notEqual(status, 101);
      },
      async close() {
        const ready = await network.client.tunnel({ host: "pg.internal", port: 5432 });
        // PostgreSQL's own question for TLS, which it answers by one letter.
        ready.write(Buffer.from("0000000804d2162f", "hex"));
        const [letter] = (await once(ready, "data")) as [Buffer];
        ready.destroy();
        const closed = eventually("perchd has no more files open than before", () => network.files() <= files + 2);
        await closed.catch(() => undefined);
        const memory = network.memory();
        await network.end();
        await closed;
        assert.match(letter.toString("latin1"), /^[SN]/);
        return { tunnels, "perchd's MB": memory };
      },
    };
  },
};
