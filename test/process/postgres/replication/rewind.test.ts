import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { removeTree } from "../../../../src/host/files/files.ts";
import { takeBaseBackup } from "../../../../src/postgres/replication/base-backup.ts";
import { readControlFile } from "../../../../src/postgres/instance/control-file.ts";
import { type Proof, prove } from "../../../../src/postgres/instance/data-removal.ts";
import type { Member } from "../../../../src/postgres/instance/directory.ts";
import { createSlot, promote, slotOf, standing } from "../../../../src/postgres/replication/replication.ts";
import { fitOf, heldIn, rewind } from "../../../../src/postgres/replication/rewind.ts";
import { start, stop } from "../../../../src/postgres/instance/server.ts";
import { withSession } from "../../../../src/postgres/sql/session.ts";
import { historyOf, isPartOf } from "../../../../src/postgres/replication/timeline.ts";
import { asPerch, installed, newLeader, newMember, passwords, settle, sql } from "../../../support/ground.ts";
import { eventually } from "../../../support/world.ts";

/**
 * Whether a member's data can follow another leader, on servers that parted. One story a major: each test goes on where
 * the one before it ended.
 */
const login = { user: "perch", password: passwords.superuser };

describe.each(await installed())("the data of a former leader of PostgreSQL $major", (binaries) => {
  let old: Member;
  let next: Member;
  const aligned = (member: Member, leader: Member) =>
    withSession(leader, login, async (session) => {
      const history = await historyOf(session);
      const found = await fitOf(member.layout, history);
      if (found?.fit !== "parted") return found?.fit;
      const held = await heldIn(member.layout.data);
      const { received: written } = await standing(session);
      const { systemIdentifier = 0n } = (await readControlFile(leader.layout)) ?? {};
      const keeper = { machine: leader.id, systemIdentifier, written, ...history };
      const proof = prove({ machine: member.id, what: "data", held, keeper, going: [] });
      const unfit = await rewind(member, { leader, session, password: passwords.superuser }, proof as Proof);
      return unfit === undefined ? "rewound" : "unfit";
    });
  const follows = (member: Member) =>
    eventually("it streams", async () => (await withSession(member, login, standing)).streaming);
  const become = (leader: Member) => withSession(leader, login, (session) => promote(session));

  /** A base backup, which follows that leader. */
  const copy = async (member: Member, leader: Member) => {
    await withSession(leader, login, (session) => createSlot(session, slotOf(member.id)));
    const source = {
      leader,
      open: () => asPerch(leader),
      replicationPassword: passwords.replication,
      slot: slotOf(member.id),
    };
    await takeBaseBackup(member, source);
    await settle(member, leader);
  };

  /** A leader that is restarted as a replica of nobody, and promoted. */
  const promoteAgain = async () => {
    await stop(old, "fast");
    await settle(old, next);
    await start(old);
    await become(old);
    await settle(old);
  };

  beforeAll(async () => {
    old = await newLeader(binaries, "old");
    await sql(old, "CREATE TABLE public.t AS SELECT generate_series(1, 1000) AS n");
    next = await newMember(binaries, "next");
    await copy(next, old);
  });

  it("fits as a base backup, and as a replica that was stopped", async () => {
    expect(await aligned(next, old)).toBe("fits");
    await start(next);
    await follows(next);
    await stop(next, "fast");
    expect(await aligned(next, old)).toBe("fits");
  });

  it("is rewound, where it has more than the next leader got, though that one was promoted a moment ago", async () => {
    await sql(old, "INSERT INTO public.t SELECT generate_series(1, 10)");
    await stop(old, "immediate");
    await start(next);
    await become(next);
    const outcome = await aligned(old, next);
    expect(outcome).toBe(binaries.has.rewind ? "rewound" : "unfit");
    if (outcome === "unfit") {
      await removeTree(old.layout.data);
      await copy(old, next);
    }
    await withSession(next, login, (session) => createSlot(session, slotOf(old.id)));
    await settle(old, next);
    await start(old);
    await follows(old);
    expect(await sql(old, "SELECT count(*)::int AS count FROM public.t")).toEqual([{ count: 1000 }]);
  });

  it("must be copied, where it was promoted to the same timeline as the leader", async () => {
    await stop(next, "fast");
    await stop(old, "fast");
    await settle(next, old);
    await start(next);
    await become(next);
    await sql(next, "INSERT INTO public.t SELECT generate_series(1, 10)");
    await stop(next, "fast");
    await start(old);
    await become(old);
    await sql(old, "CHECKPOINT");
    const [one, other] = [await readControlFile(next.layout), await readControlFile(old.layout)];
    expect(one?.timeline).toBe(other?.timeline);
    expect(await aligned(next, old)).toBe("unfit");
  });

  it("fits on the tenth timeline, too, whose file is named in hexadecimal", async () => {
    const timeline = async () => (await withSession(old, login, historyOf)).timeline;
    while ((await timeline()) < 9) await promoteAgain();
    await removeTree(next.layout.data);
    await copy(next, old);
    await start(next);
    await follows(next);
    await stop(next, "fast");
    await promoteAgain();
    expect(await timeline()).toBe(10);
    expect(await aligned(next, old)).toBe("fits");
    // Some thirty starts and stops: on a busy machine that is minutes.
  }, 300_000);

  it("is not taken for more than the leader's, where a replica was killed after it had gone on to the leader's timeline", async () => {
    await start(next);
    await follows(next);
    await sql(old, "INSERT INTO public.t SELECT generate_series(1, 10)");
    await eventually(
      "all is there",
      async () => (await sql<{ n: number }>(next, "SELECT count(*)::int AS n FROM public.t"))[0]?.n === 1010,
    );
    await stop(next, "immediate");
    const history = await withSession(old, login, historyOf);
    await stop(old, "immediate");
    await start(next);
    const { timeline, received, streaming } = await withSession(next, login, standing);
    expect({ streaming, fits: isPartOf(history, { timeline, position: received }) }).toEqual({
      streaming: false,
      fits: true,
    });
  });

  it("has after a rewind no more of the timeline that was taken back, whose last file pg_rewind leaves, nor of one that it has heard of", async () => {
    if (!binaries.has.rewind) return;
    await start(old);
    await follows(next);
    await become(next);
    await sql(next, "INSERT INTO public.t SELECT generate_series(1, 10)");
    await stop(next, "fast");
    expect(await aligned(next, old)).toBe("rewound");
    await settle(next, old);
    const history = await withSession(old, login, historyOf);
    const alone = async () => {
      const { timeline, received, streaming } = await withSession(next, login, standing);
      return { timeline, streaming, fits: isPartOf(history, { timeline, position: received }) };
    };
    // Consistent where the leader's WAL ended, which that one need not have written yet: so it follows first.
    await start(next);
    await follows(next);
    await stop(next, "fast");
    await stop(old, "immediate");
    await start(next);
    const kept = (await readdir(join(next.layout.data, "pg_wal"))).filter((name) => name.startsWith("0000000B"));
    expect(kept.map((name) => name.length)).toEqual([24]);
    expect(await alone()).toEqual({ timeline: 10, streaming: false, fits: true });
    // As of a leader that was promoted elsewhere, and of the one after it.
    const ours = await readFile(join(next.layout.data, "pg_wal/0000000A.history"), "utf8");
    await writeFile(join(next.layout.data, "pg_wal/0000000B.history"), `${ours}10\t0/2000000\tno\n`);
    await writeFile(join(next.layout.data, "pg_wal/0000000C.history"), `${ours}10\tFF/2000000\tno\n`);
    expect(await alone()).toEqual({ timeline: 10, streaming: false, fits: true });
  });
});
