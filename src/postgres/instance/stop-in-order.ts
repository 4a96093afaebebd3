import { ask } from "../../base/deadline.ts";
import { endOccupants } from "../../host/process/occupants.ts";
import { awaitEnd, isAlive, isSuspended, signalProcess } from "../../host/process/process.ts";
import { readControlFile } from "./control-file.ts";
import type { Member } from "./directory.ts";
import { find } from "./postmaster.ts";
import { resume } from "./server.ts";
import type { Session } from "../sql/session.ts";

/** So long the last checkpoint may take. */
const withinMs = 10_000;
/** So long after it an archiver, or whoever reads the WAL, may keep the server from ending. */
export const lingerMs = 1_000;

/**
 * Ends everybody who reads the server's WAL but the one that streams from this slot: a server that stops waits until
 * each of them has read all, and one that does not move would keep it for ever.
 */
export async function endConsumers(session: Session, slot: string): Promise<void> {
  const gone = async () => {
    const rows = await session.query(
      `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_replication
        WHERE pid NOT IN (SELECT active_pid FROM pg_catalog.pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL)`,
      [slot],
    );
    return rows.length === 0 ? true : undefined;
  };
  await ask(gone, { everyMs: 10, withinMs: 500 });
}

/**
 * Stops a server so that its data is whole: with its last checkpoint in pg_control nothing of it is missing, and what
 * still runs then, an archive command or a reader of WAL, is waited for a moment only.
 */
export async function stopInOrder(member: Member): Promise<void> {
  const running = await find(member.layout);
  if (running === undefined) return;
  // One that a signal stopped would not hear of it.
  if (await isSuspended(running.process)) await resume(member);
  await signalProcess(running.process, "SIGINT");
  let whole: number | undefined;
  const over = async () => {
    if (!(await isAlive(running.process))) return "ended";
    if ((await readControlFile(member.layout))?.state === "shut down") whole ??= performance.now();
    return whole !== undefined && performance.now() - whole > lingerMs ? "lingers" : undefined;
  };
  if ((await ask(over, { everyMs: 5, withinMs })) === "ended") return;
  await signalProcess(running.process, "SIGQUIT");
  // PostgreSQL itself kills what a signal has stopped after five seconds only.
  if (!(await awaitEnd(running.process, 300))) {
    await signalProcess(running.process, "SIGKILL");
    await awaitEnd(running.process, 5_000);
  }
  await endOccupants(member.layout.data, "postgres");
}
