import { fail } from "../errors/error.ts";
import { run } from "../host/process/command.ts";
import type { Home } from "../host/system/home.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { type Binaries, findBinaries } from "../postgres/instance/binaries.ts";
import { command } from "../postgres/instance/directory.ts";
import { type Context, memberOf } from "./context.ts";

/** A PostgreSQL of this host, or the one in that directory. Rejects with `postgres_binaries_missing`. */
export const findPrograms = (
  home: Home,
  wanted: { major?: number | undefined; directory?: string | undefined },
): Promise<Binaries> =>
  findBinaries({
    toolsDirectory: `${home.postgres}/tools`,
    ...(wanted.major === undefined ? {} : { major: wanted.major }),
    ...(wanted.directory === undefined ? {} : { directory: wanted.directory }),
  });

/** Rejects where PostgreSQL's user cannot run what the cluster's record names. */
export async function requireRunnable(context: Context, cluster: ClusterRecord, machine: MachineRecord): Promise<void> {
  const { major, binaries } = cluster;
  await run(command(memberOf(context, cluster, machine), "postgres", ["--version"]), {
    cwd: "/",
    timeoutMs: 10_000,
  }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw fail(
      "postgres_binaries_missing",
      { major, tried: `PostgreSQL's user cannot run it in ${binaries}: ${why}` },
      error,
    );
  });
}
