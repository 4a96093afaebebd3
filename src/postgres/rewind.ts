import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, run } from "../host/command.ts";
import { exists, writeWhole } from "../host/files.ts";
import { superuser } from "./access.ts";
import { readControlFile } from "./data.ts";
import { command, type Member } from "./directory.ts";
import { parametersText } from "./replication.ts";
import { ownOptions } from "./session-options.ts";
import type { Session } from "./sql.ts";
import { historyOf, isPartOf } from "./timeline.ts";

/** The leader that a member's data shall follow. */
export interface Source {
  leader: Member;
  session: Session;
  /** Of Perch's superuser. */
  password: string;
}

/**
 * Looks whether a stopped member's data can follow the leader: "fits" as it is, "rewound" by pg_rewind to where the two parted, or "copy": it cannot,
 * and must be copied anew. Rows that only this member had are lost with the rewinding, as a failover said they would be.
 */
export async function align(member: Member, source: Source, signal?: AbortSignal): Promise<"fits" | "rewound" | "copy"> {
  const found = await readControlFile(member.layout);
  if (found === undefined) return "copy";
  const history = await historyOf(source.session);
  // A base backup that has not been started yet is as its leader was, in production.
  if (await exists(join(member.layout.data, "backup_label"))) return "fits";
  const followed = found.state === "shut down in recovery" || found.state === "in archive recovery";
  const led = found.state === "in production" || found.state === "shutting down" || found.state === "shut down";
  // Two that led on the same timeline were promoted apart: what they wrote there differs, and PostgreSQL would not see it.
  if (found.timeline === history.timeline) return led ? "copy" : "fits";
  const stopped = followed || found.state === "shut down";
  if (stopped && isPartOf(history, { timeline: found.timeline, position: found.checkpoint })) return "fits";
  // pg_rewind reads the leader's timeline from its last checkpoint; where that is from before the promotion, it would find nothing to do.
  if ((await readControlFile(source.leader.layout))?.timeline !== history.timeline) await source.session.query("CHECKPOINT", [], 600_000);
  const outcome = await rewind(member, source, signal);
  if (outcome !== "rewound") return outcome;
  return (await readControlFile(member.layout))?.timeline === history.timeline ? "rewound" : "copy";
}

/** pg_rewind, where it is installed and finds the point. It finishes the recovery of a server that was killed first. */
export async function rewind(member: Member, { leader, password }: Source, signal?: AbortSignal): Promise<"fits" | "rewound" | "copy"> {
  if (!(await exists(join(member.binaries, "pg_rewind")))) return "copy";
  const { layout, place } = member;
  const pass = join(layout.root, "rewind.pass");
  await writeWhole(pass, `*:*:*:${superuser}:${password.replace(/[\\:]/g, "\\$&")}\n`, place.owner === undefined ? {} : { owner: place.owner });
  // A server that is rewound is finished by itself first, which a standby refuses.
  await rm(join(layout.data, "standby.signal"), { force: true });
  const from = parametersText({
    host: leader.layout.sockets,
    port: String(leader.port),
    user: superuser,
    dbname: "postgres",
    options: ownOptions(member.major),
    passfile: place.seen(pass),
  });
  try {
    const { stderr } = await run(command(member, "pg_rewind", [`--target-pgdata=${place.seen(layout.data)}`, `--source-server=${from}`]), {
      cwd: "/",
      timeoutMs: 3_600_000,
      ...(signal === undefined ? {} : { signal }),
    });
    return stderr.includes("no rewind required") ? "fits" : "rewound";
  } catch (error) {
    if (error instanceof CommandError && signal?.aborted !== true) return "copy";
    throw error;
  } finally {
    await rm(pass, { force: true });
  }
}
