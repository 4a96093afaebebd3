import assert from "node:assert/strict";
import { chmodSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defaultLimits } from "../../../src/model/exposure.ts";
import { choicesOf } from "../choices.ts";
import { memoryOf } from "../network.ts";
import { randomOf } from "../random.ts";
import { eventually, listening, scratch } from "../sockets.ts";
import { built, type Target } from "../target.ts";
import { allGone, ordinaryVisit, visit } from "../visitor.ts";

/**
 * The process of a public door before a server that says back what it hears. An input says who comes, what each does,
 * and what perchd says to the door meanwhile.
 */
export const door: Target = {
  name: "door",
  claim:
    "a public door brings every byte to its server and back whatever clients do and whatever it is told, keeps no connection and no memory, and counts each out",
  covers: ["main", "relay", "settings"]
    .map((part) => `ingress/${part}`)
    .concat("host/sockets/admission", "host/sockets/join", "model/exposure"),
  seeds: Array.from({ length: 40 }, (_, index) => randomOf(index).bytes(60)),
  tokens: [],
  longest: 300,
  runs: 200,
  async open(coverage) {
    const { startDoor } = await built<typeof import("../../../src/ingress/start.ts")>("ingress/start");
    const place = scratch();
    // The door becomes nobody, who is to leave his coverage, too.
    chmodSync(coverage, 0o777);
    const echo = await listening((socket) => void socket.pipe(socket));
    const deaf = await listening((socket) => socket.resetAndDestroy());
    const free = await listening((socket) => socket.destroy());
    await free.close();
    const many = { ...defaultLimits, total: 1_000, perSource: 1_000, perSecond: 100_000, failures: 100_000 };
    const to = (...ports: number[]) => ports.map((port) => ({ host: "127.0.0.1", port }));
    const open = { leader: to(echo.port), replicas: [], allow: [], limits: many };
    const wishes = [
      open,
      { ...open, leader: to(1, echo.port) },
      { ...open, leader: to(deaf.port) },
      { ...open, allow: ["203.0.113.0/24"] },
      { ...open, allow: ["127.0.0.0/8", "2001:db8::/32"], limits: { ...many, total: 2 } },
    ];
    const log = join(place.path, "log");
    process.env["NODE_V8_COVERAGE"] = coverage;
    const opened = await startDoor(
      { control: join(place.path, "door.sock"), listens: [`127.0.0.1:${free.port}`], wish: open },
      [],
      openSync(log, "a"),
    ).finally(() => delete process.env["NODE_V8_COVERAGE"]);
    const { pid } = await opened.ping();
    let before = memoryOf(pid);
    let executions = 0;
    return {
      elsewhere: true,
      async run(input) {
        const choices = choicesOf(input);
        await opened.set(choices.pick(wishes));
        const one = () => visit(free.port, choices, async () => choices.once(4) && opened.set(choices.pick(wishes)));
        await Promise.all(Array.from({ length: 1 + choices.below(4) }, one));
        if (choices.once(3)) assert.equal(await opened.failed(choices.take(20).toString("latin1")), undefined);
        await opened.set(open);
        await ordinaryVisit(free.port);
        await allGone(echo.server, deaf.server);
        await eventually("nobody is counted who has gone", async () => (await opened.ping()).open === 0);
        if (++executions === 200) before = memoryOf(pid);
      },
      async close() {
        const after = memoryOf(pid);
        const { admitted, refused } = await opened.ping();
        await opened.stop();
        await Promise.all([echo.close(), deaf.close()]);
        const said = readFileSync(log, "utf8");
        place.remove();
        assert.doesNotMatch(said, /"level":"error"/);
        assert.ok(after < 150, `the door has ${after} MB in memory`);
        return { "let in": admitted, refused, "its MB": `${before} → ${after}` };
      },
    };
  },
};
