import { shortenLog } from "../host/files/files.ts";
import { layout } from "../postgres/instance/directory.ts";
import { logsBounded } from "../postgres/instance/log-bound.ts";
import type { Deps } from "../server/deps.ts";
import type { OpenNetwork } from "./open-network.ts";
import type { OpenRemoteDoor } from "./remote-door.ts";

const everyMs = 5_000;

/**
 * What is to be looked after for as long as perchd runs. One that cannot be done, as on a full disk, keeps none of the
 * others from it.
 */
export function keepTidy(
  deps: Deps,
  open: OpenNetwork,
  remote: OpenRemoteDoor,
): {
  now(): Promise<void>;
  speakAt(tend: () => Promise<void>): void;
  stop(): void;
} {
  let turns = 0;
  const boundLog = logsBounded();
  let tendRuntime: () => Promise<void> = () => Promise.resolve();
  const chores = {
    "the runtime directory and perchd's socket are looked at": () => tendRuntime(),
    "what the kernel holds is looked at": async () => {
      if (turns++ % 2 === 0) await open.kernel?.tend();
    },
    "the name server is asked for an answer": async () => open.nameServer?.tend(),
    "public doors are asked for an answer": async () => open.doors.doors.tend(),
    "wireguard-go is asked for an answer": () => open.wireguard.tend(),
    "the program that dials inside is looked at": () => open.dialler.tend(),
    "what runs out is told": () => deps.warnings(),
    "the API that could not listen tries again": () => remote.keep(),
    "the way out of the network is tended": () => open.outward.tend(),
    "the log is kept short": () => shortenLog(deps.home.log),
    "the logs of PostgreSQL are kept within their bound": async () => {
      // What PostgreSQL's user laid into one server's directory keeps no other's log from it.
      const failures: unknown[] = [];
      for (const { id } of await deps.state.machines.list())
        await boundLog(layout(deps.home, id)).catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    },
  };
  const all = async () => {
    for (const [what, chore] of Object.entries(chores))
      await chore().catch((error: unknown) => deps.log.error({ err: error, chore: what }, "a chore could not be done"));
  };
  let under: Promise<void> | undefined;
  const now = () => (under ??= all().finally(() => (under = undefined)));
  const timer = setInterval(() => void now(), everyMs);
  return { now, speakAt: (tend) => void (tendRuntime = tend), stop: () => clearInterval(timer) };
}
