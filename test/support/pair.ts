import { ask } from "../../src/base/deadline.ts";
import { takeBaseBackup } from "../../src/postgres/replication/base-backup.ts";
import type { Binaries } from "../../src/postgres/instance/binaries.ts";
import type { Member } from "../../src/postgres/instance/directory.ts";
import { createSlot, slotOf, standing } from "../../src/postgres/replication/replication.ts";
import { start, stop } from "../../src/postgres/instance/server.ts";
import { withSession } from "../../src/postgres/sql/session.ts";
import { asPerch, newLeader, newMember, passwords, settle } from "./ground.ts";

export const login = { user: "perch", password: passwords.superuser };

/** A leader with those settings and a replica that streams from it. */
export async function pairOf(
  binaries: Binaries,
  name: string,
  settings: Record<string, string> = {},
): Promise<{ leader: Member; replica: Member }> {
  const leader = await newLeader(binaries, `${name}a`);
  if (Object.keys(settings).length > 0) {
    await settle(leader, undefined, settings);
    await stop(leader, "fast");
    await start(leader);
  }
  const replica = await newMember(binaries, `${name}b`);
  const slot = slotOf(replica.id);
  await withSession(leader, login, (session) => createSlot(session, slot));
  await takeBaseBackup(
    replica,
    { leader, open: () => asPerch(leader), replicationPassword: passwords.replication, slot },
    {},
  );
  await settle(replica, leader, settings);
  await start(replica);
  const streams = async () => ((await withSession(replica, login, standing)).streaming ? true : undefined);
  if ((await ask(streams, { everyMs: 20, withinMs: 20_000 })) !== true)
    throw new Error(`${replica.id} does not stream`);
  return { leader, replica };
}
