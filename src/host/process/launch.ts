import { writeFile } from "node:fs/promises";
import { type Interactive, runInteractive } from "./interactive.ts";
import { succeeds } from "./command.ts";
import { requireSplittingEnv } from "./env-program.ts";
import { searchPath } from "../files/files.ts";
import { carryEnvironment } from "./own-environment.ts";
import type { Account } from "../system/users.ts";
import { type Barred, barredOwners, idMapsWithout, wallsArgv } from "./walls.ts";

/**
 * A command that is started inside a network, behind the walls of `walls.ts` and with its own environment, which no
 * helper meets.
 */
export interface Launch {
  /** argv that leads into the network; empty where there is none, and the command is started as it is. */
  enter: readonly string[];
  command: readonly string[];
  env: NodeJS.ProcessEnv;
  /**
   * As root: PostgreSQL's user, which the command must not be able to become. A perchd of version 0.1.0 does not say
   * it.
   */
  barred: Barred | null | undefined;
  /** As root: the user to become. */
  account?: Account | undefined;
  note?(text: string): void;
}

const weaker =
  "This system refuses root a user namespace (unshare --user): the command keeps rights with which it can become PostgreSQL's user and read other runs";

export async function launch({ enter, command, env, barred, account, note }: Launch): Promise<Interactive> {
  if (enter.length === 0) return runInteractive(command, env);
  await requireSplittingEnv();
  const carried = carryEnvironment(env, command[0] ?? "");
  const helpers = { PATH: searchPath().join(":"), LC_ALL: "C", ...carried.env };
  const argv = (ownNamespace: boolean) => [
    ...enter,
    ...wallsArgv({ root: barred !== null && barred !== undefined, ownNamespace, account }),
    ...carried.argv,
    ...command,
  ];
  if (barred === null || barred === undefined) return runInteractive(argv(false), helpers);
  const maps = idMapsWithout(barredOwners(barred));
  const started = await runInteractive(argv(true), helpers, async (pid) => {
    // In this order: the command waits for the second.
    await writeFile(`/proc/${pid}/gid_map`, maps.gids);
    await writeFile(`/proc/${pid}/uid_map`, maps.uids);
  });
  if (started.begun || (await succeeds(["unshare", "--user", "true"]))) return started;
  await started.ended;
  note?.(weaker);
  return runInteractive(argv(false), helpers);
}
