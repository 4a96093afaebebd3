import { join } from "node:path";
import { fail } from "../../errors/error.ts";
import { CommandError, run } from "../../host/process/command.ts";
import { isBelow, removeBelow } from "../../host/files/below.ts";
import { exists, writeWhole } from "../../host/files/files.ts";
import { endOccupants } from "../../host/process/occupants.ts";
import { superuser } from "../instance/hba.ts";
import { type ControlFile, readControlFile, readControlIn } from "../instance/control-file.ts";
import { type Held, overwriteData, type Proof, unfitBecause } from "../instance/data-removal.ts";
import { atSocketOf, command, type Layout, type Member } from "../instance/directory.ts";
import { isDiskFull } from "../instance/initdb.ts";
import { parametersText } from "./replication.ts";
import { ownOptions } from "../sql/session-options.ts";
import type { Session } from "../sql/session.ts";
import { type History, historyOf, isPartOf } from "./timeline.ts";

/**
 * Whether the data of a stopped member can follow the leader: as it is, after pg_rewind took it back to where the two
 * parted, or only as a new copy.
 */
export type Fit = { fit: "fits" | "parted" } | { fit: "unfit"; because: string };

interface Leading {
  timeline: number;
  forks: History;
}

/** Only looks. Undefined where there is no data. */
export async function fitOf(at: Layout, leading: Leading): Promise<Fit | undefined> {
  const unfit = await unfitBecause(at);
  if (unfit !== undefined) return { fit: "unfit", because: unfit };
  const found = await readControlFile(at);
  return found && judge(found, await isBelow(at.data, "backup_label"), leading);
}

/** Pure. `label`: a base backup that has not been started yet is as its leader was, in production. */
export function judge(
  found: Pick<ControlFile, "state" | "timeline" | "checkpoint" | "recovered">,
  label: boolean,
  leading: Leading,
): Fit {
  if (label) return { fit: "fits" };
  // PostgreSQL refuses to start a replica that has replayed further than where the leader's history left that timeline.
  if (found.recovered.position > 0n && !isPartOf(leading, found.recovered)) return { fit: "parted" };
  const followed = found.state === "shut down in recovery" || found.state === "in archive recovery";
  const led = found.state === "in production" || found.state === "shutting down" || found.state === "shut down";
  // Two that led on the same timeline were promoted apart: what they wrote there differs, and PostgreSQL would not see
  // it.
  if (found.timeline === leading.timeline)
    return led ? { fit: "unfit", because: "it led on the same timeline as the present leader" } : { fit: "fits" };
  const stopped = followed || found.state === "shut down";
  return {
    fit: stopped && isPartOf(leading, { timeline: found.timeline, position: found.checkpoint }) ? "fits" : "parted",
  };
}

/**
 * What the data in this directory holds, as far as its control file says; undefined where a server could not start from
 * it.
 */
export async function heldIn(data: string): Promise<Held | undefined> {
  const found = await readControlIn(data);
  if (found === undefined) return undefined;
  const { systemIdentifier, timeline, checkpoint, recovered, state } = found;
  const mayGoOn = state === "in production" || state === "shutting down" || state === "in crash recovery";
  const further = recovered.position > checkpoint;
  return { systemIdentifier, mayGoOn, ...(further ? recovered : { timeline, position: checkpoint }) };
}

/** The leader that a member's data should follow. */
export interface Source {
  leader: Member;
  session: Session;
  /** Of Perch's superuser. */
  password: string;
}

/**
 * pg_rewind on a stopped member whose data parted from the leader's. It finishes the recovery of a server that was
 * killed first. What this member alone had is lost, as the change of leader said. Gives why the data must be copied
 * where pg_rewind cannot help; rejects where another attempt may.
 */
export async function rewind(
  member: Member,
  { leader, session, password }: Source,
  proof: Proof,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { layout, place } = member;
  const history = await historyOf(session);
  // pg_rewind reads the leader's timeline from its last checkpoint; where that is from before the promotion, it would
  // find nothing to do.
  if ((await readControlFile(leader.layout))?.timeline !== history.timeline)
    await session.query("CHECKPOINT", [], 600_000);
  const pass = join(layout.root, "rewind.pass");
  const from = (host: string) =>
    parametersText({
      host,
      port: String(leader.port),
      user: superuser,
      dbname: "postgres",
      options: ownOptions(member.major),
      passfile: place.seen(pass),
    });
  await endRewind(layout);
  await writeWhole(
    pass,
    `*:*:*:${superuser}:${password.replace(/[\\:]/g, "\\$&")}\n`,
    place.owner === undefined ? {} : { owner: place.owner },
  );
  const work = async (): Promise<{ unfit?: string }> => {
    if (!(await exists(join(member.binaries, "pg_rewind"))))
      return { unfit: "it parted from the leader, and pg_rewind is not installed" };
    // A server that is rewound is finished by itself first, which a standby refuses.
    await removeBelow(layout.data, "standby.signal");
    const { stderr } = await atSocketOf(leader, member, (directory) => {
      const argv = command(member, "pg_rewind", [
        `--target-pgdata=${place.seen(layout.data)}`,
        `--source-server=${from(directory)}`,
      ]);
      return run(workingIn(argv, place.seen(layout.data)), {
        cwd: "/",
        timeoutMs: 3_600_000,
        ...(signal === undefined ? {} : { signal }),
      });
    });
    const found = await readControlFile(layout);
    if (stderr.includes("no rewind required")) {
      // It looks at the last checkpoints alone: what was replayed after one may be from elsewhere all the same.
      const still = found === undefined || judge(found, false, history).fit !== "fits";
      return still ? { unfit: "it replayed what the leader never had, and pg_rewind sees nothing to take back" } : {};
    }
    return found?.timeline === history.timeline ? {} : { unfit: "pg_rewind did not bring it to the leader's timeline" };
  };
  try {
    return await overwriteData(member, proof, () => work().catch((error: unknown) => outcomeOf(member, error, signal)));
  } finally {
    await removeBelow(layout.root, "rewind.pass");
  }
}

/** Its words decide: it connects first, so one that could not has changed nothing, and may be run again. */
function outcomeOf(
  member: Member,
  error: unknown,
  signal: AbortSignal | undefined,
): { unfit: string } | { unchanged: Error } {
  if (!(error instanceof CommandError) || signal?.aborted === true) throw error;
  if (isDiskFull(error)) throw fail("disk_full", { path: member.layout.root }, error);
  if (/error: (connection to server|could not connect)/.test(error.stderr))
    return { unchanged: fail("sql_failed", { app: member.app, why: error.message }, error) };
  const said = error.stderr
    .split("\n")
    .filter((line) => /error|fatal/i.test(line))
    .slice(-2);
  return { unfit: `pg_rewind could not take it back: ${said.join("; ") || error.message}` };
}

/** One that a killed perchd left would go on writing into the data, whatever is there by then. */
export const endRewind = (at: Layout): Promise<void> => endOccupants(at.data, "pg_rewind");

/** So that who works on the data is found by where it works. */
const workingIn = (argv: string[], directory: string): string[] => {
  const program = argv.findIndex((part) => part.endsWith("/pg_rewind"));
  return [
    ...argv.slice(0, program),
    "sh",
    "-c",
    'cd "$1" && shift && exec "$@"',
    "perch",
    directory,
    ...argv.slice(program),
  ];
};
