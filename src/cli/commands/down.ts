import { clientOf } from "../../client/client.ts";
import { fail } from "../../errors/error.ts";
import { exists } from "../../host/files.ts";
import { awaitEnd, identify } from "../../host/process.ts";
import { command } from "../command.ts";
import { statusIfRunning, up } from "../start.ts";

const endMs = 15_000;

export const downCommand = command({
  name: "down",
  summary: "Stop everything; data stays",
  details:
    "Stops every cluster, takes the private network away and ends perchd. Where perchd died and its clusters live on, it is started first, so that they are stopped in order.",
  examples: ["perch down"],
  routes: ["status", "shutdown"],
  async run({ home, terminal, signal }) {
    let status = await statusIfRunning(home);
    if (status === undefined && (await exists(home.daemonFile))) {
      terminal.note("perchd is not running but did not say goodbye: starting it to stop what it left");
      ({ status } = await up({ home, terminal, signal, portable: false, foreground: false }));
    }
    if (status === undefined) return { text: `Perch is not running for ${home.root}` };
    const perchd = await identify(status.daemon.pid);
    await clientOf(home).call("shutdown", {}, { signal, onProgress: (sentence) => terminal.progress.say(sentence) });
    if (perchd !== undefined && !(await awaitEnd(perchd, endMs)))
      throw fail("daemon_lost", { why: `perchd ${perchd.pid} has stopped everything but does not end` });
    return { text: `Perch is down; the data stays in ${home.root}` };
  },
});
