import { clientOf } from "../../client/client.ts";
import { fail } from "../../errors/error.ts";
import { exists } from "../../host/files/files.ts";
import type { Home } from "../../host/system/home.ts";
import { awaitEnd, identify } from "../../host/process/process.ts";
import type { Terminal } from "../output/terminal.ts";
import { statusIfRunning, up } from "../start.ts";

const endMs = 15_000;

/** Ends every process of one network. Gives whether there was anything to end. */
export async function stopNetwork(home: Home, terminal: Terminal, signal: AbortSignal): Promise<boolean> {
  let status = await statusIfRunning(home);
  if (status === undefined && (await exists(home.daemonFile))) {
    terminal.note("perchd is not running but did not say goodbye: starting it to stop what it left");
    ({ status } = await up({ home, terminal, signal, portable: undefined, foreground: false }));
  }
  if (status === undefined) return false;
  const perchd = await identify(status.daemon.pid);
  await clientOf(home).call("shutdown", {}, { signal, onProgress: (sentence) => terminal.progress.say(sentence) });
  if (perchd !== undefined && !(await awaitEnd(perchd, endMs)))
    throw fail("daemon_lost", { why: `perchd ${perchd.pid} has stopped everything but does not end` });
  return true;
}

/** The same for what was never whole: a start that was killed leaves no word of itself, but a runtime directory. */
export async function stopHalfMade(home: Home, terminal: Terminal): Promise<void> {
  const { signal } = new AbortController();
  if ((await statusIfRunning(home)) === undefined && !(await exists(home.runtime))) return;
  await up({ home, terminal, signal, portable: undefined, foreground: false });
  await stopNetwork(home, terminal, signal);
}
