import assert from "node:assert/strict";
import { choicesOf } from "../choices.ts";
import { randomOf } from "../random.ts";
import { listening } from "../sockets.ts";
import { built, type Target } from "../target.ts";
import { allGone, ordinaryVisit, visit } from "../visitor.ts";

/**
 * The relay of the portable mode before two servers: `echo` says back what it hears, `deaf` breaks off at once. An
 * input says who comes, what each does, and where the relay is aimed meanwhile.
 */
export const relay: Target = {
  name: "relay",
  claim:
    "the relay of the portable mode brings every byte to one server, in order and back, whatever clients do and wherever it is aimed, and keeps no connection",
  covers: ["network/relay", "host/sockets/join"],
  seeds: Array.from({ length: 40 }, (_, index) => randomOf(index).bytes(60)),
  tokens: [],
  longest: 300,
  runs: 400,
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
    return {
      async run(input) {
        const choices = choicesOf(input);
        aim(choices.pick(targets));
        const one = async () => {
          const [atFirst, aimsBefore] = [aimed, aims];
          const { how, said, back } = await visit(opened.port, choices, async () => {
            if (choices.once(4)) aim(choices.pick(targets));
            // Nobody is to wait for as long as the relay's patience lasts, but for a few turns, in which it hears the
            // first byte.
            for (let turns = choices.below(9); turns > 0; turns--)
              await new Promise((resolve) => setImmediate(resolve));
            if (aimed === "held") aim(choices.pick(targets.filter((target) => target !== "held")));
          });
          if ((how === "end" || how === "patient") && atFirst === echo.port && aims === aimsBefore)
            assert.equal(back, said, "something is missing");
        };
        await Promise.all(Array.from({ length: 1 + choices.below(4) }, one));
        aim(undefined);
        aim(echo.port);
        await ordinaryVisit(opened.port);
        await allGone(echo.server, deaf.server);
      },
      async close() {
        await opened.close();
        await Promise.all([echo.close(), deaf.close()]);
        return {};
      },
    };
  },
};
