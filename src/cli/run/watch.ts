import { pause, within } from "../../base/deadline.ts";
import { isCode } from "../../errors/error.ts";
import type { Daemon } from "../command.ts";
import { type RunningCommand, type RunRequest, startCommand } from "./run-command.ts";

/**
 * How long a command may take to end before it is killed; how long to wait for more changes; how long between questions
 * to a lost daemon.
 */
const wait = { graceMs: 10_000, moreMs: 300, againMs: 1_000 };

/**
 * `perch run --watch`: the command again each time the app's secrets change, as a deploy would. Ends when the command
 * ends by itself.
 */
export async function watchCommand(
  daemon: Daemon,
  request: RunRequest & { app: string },
  note: (text: string) => void,
): Promise<number> {
  const changes = await followSecrets(daemon, request.app);
  for (let running = await startCommand(daemon, request); ; running = await startAgain(daemon, request)) {
    const ended = running.ended.then((code) => ({ code }));
    const first = await Promise.race([ended, changes.next()]);
    if (first !== undefined) {
      await running.leave();
      return first.code;
    }
    note(`Secrets of ${request.app} changed: restarting the command`);
    await end(running);
  }
}

/** A perchd that is away just then comes back. */
async function startAgain(daemon: Daemon, request: RunRequest): Promise<RunningCommand> {
  for (;;) {
    try {
      return await startCommand(daemon, request);
    } catch (error) {
      if (!isCode(error, "daemon_lost") && !isCode(error, "daemon_not_running")) throw error;
      await pause(wait.againMs);
    }
  }
}

async function end(running: RunningCommand): Promise<void> {
  running.kill("SIGTERM");
  if ((await within(wait.graceMs, running.ended)) === undefined) running.kill("SIGKILL");
  await running.ended;
  await running.leave();
}

/**
 * `next` resolves once for each burst of changes. A perchd that goes away and comes back is asked whether the secrets
 * are still the same. The feed ends with this process.
 */
async function followSecrets(daemon: Daemon, app: string): Promise<{ next(): Promise<undefined> }> {
  // Not their digests: those are other ones after perch secrets rekey, which changes no value.
  const whenSet = async () =>
    JSON.stringify(
      (await daemon.call("listSecrets", { params: { app } })).map(({ name, updatedAt }) => [name, updatedAt]),
    );
  let seen = await whenSet();
  let changed = false;
  let wake: () => void = () => undefined;
  const notice = () => {
    changed = true;
    wake();
  };
  const follow = async () => {
    for await (const _ of daemon.feed("watchSecrets", { params: { app } })) notice();
  };
  const followForEver = async () => {
    for (;;) {
      // An app that was destroyed changes no more; what it runs lives on.
      if (
        await follow().then(
          () => false,
          (error: unknown) => isCode(error, "app_not_found"),
        )
      )
        return;
      await pause(wait.againMs);
      // The feed is opened again; until then what was seen counts.
      const now = await whenSet().catch(() => seen);
      if (now !== seen) notice();
      seen = now;
    }
  };
  void followForEver();
  return {
    async next() {
      while (!changed) await new Promise<void>((resolve) => (wake = resolve));
      await pause(wait.moreMs);
      changed = false;
      return undefined;
    },
  };
}
