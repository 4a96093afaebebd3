/**
 * What a client sees when the leader is moved, killed or lost: one writer at 5432 and one at 6432, a row every 5 ms
 * each, and the longest time without an acknowledged row between a fault and the moment when the cluster is whole
 * again.
 */
import { join } from "node:path";
import { ask } from "../src/base/deadline.ts";
import { clientOf } from "../src/client/client.ts";
import { type Fault, faults, synchronousFaults } from "./faults.ts";
import { binariesWith, type Perch, withPerch } from "./ground.ts";
import type { Bench, Options, Row } from "./report.ts";
import { names, type Way } from "./way.ts";
import { appUser, attach, poolOn } from "./ways.ts";
import { type Met, met, now, startWriter, type Writer } from "./writers.ts";

export const gap: Bench = {
  name: "gap",
  summary: "what writers see of switchover, postmaster kill and data loss, at 5432 and 6432",
  run: (options) =>
    withPerch(async (perch) => {
      const binaries = await binariesWith(perch, "psql", "pg_basebackup");
      if (typeof binaries === "string") return { skipped: binaries };
      await perch.type(["up"]);
      await perch.type(["postgres", "create", "--name", "pg", "--region", "ams", "--initial-cluster-size", "2"]);
      await attach(perch);
      const user = await appUser(perch);
      const psql = (text: string) =>
        perch.type(["run", "-a", "web", "--", join(binaries.directory, "psql"), "-h", "pg.internal", "-XAtqc", text], {
          env: user,
        });
      await psql("CREATE TABLE writes (way text, n int)");
      const ways: Way[] = [{ name: names.map, host: "pg.internal", port: 5432 }];
      const poolless = await poolOn(perch);
      if (poolless === undefined) ways.push({ name: names.pool, host: "pg.internal", port: 6432 });
      else options.say(`${names.pool} is skipped: ${poolless}`);
      const writers = ways.map((way) => startWriter(perch, way, user));
      try {
        const there = async () => new Set((await psql("SELECT n || ' ' || way FROM writes")).split("\n"));
        const rows = await measure({ perch, writers, there }, options);
        const notes = [
          `PostgreSQL ${binaries.version}, two members in one region, a row every 5 ms on one connection a way.`,
        ];
        return {
          rows,
          notes: poolless === undefined ? notes : [...notes, `${names.pool} was not measured: ${poolless}.`],
        };
      } finally {
        for (const { stop } of writers) await stop();
      }
    }),
};

interface Scene {
  perch: Perch;
  writers: readonly Writer[];
  /** The rows that the leader has. */
  there(): Promise<ReadonlySet<string>>;
}

/** A value a round. */
interface Cost {
  fault: Fault;
  met: Record<string, Met[]>;
  lost: number[];
}

async function measure(scene: Scene, { quick, say, signal }: Options): Promise<Row[]> {
  const { perch, writers } = scene;
  const rounds = quick ? 2 : 6;
  const lost = new Set<string>();
  const suffer = async ({ fault, met: seen, lost: gone }: Cost) => {
    await whole(scene, signal);
    const from = now();
    await fault.act(perch, signal);
    await whole(scene, signal);
    const until = now();
    for (const { way, writes } of writers) (seen[way.name] ??= []).push(met(writes, from, until));
    const told = writers.flatMap(({ writes }) =>
      writes.filter(({ acknowledged }) => acknowledged !== undefined && acknowledged < until),
    );
    const present = await scene.there();
    const missing = told.filter(({ row }) => !present.has(row) && !lost.has(row));
    for (const { row } of missing) lost.add(row);
    gone.push(missing.length);
    const gaps = writers.map(({ way }) => `${way.name} ${Math.round(seen[way.name]?.at(-1)?.gap ?? 0)} ms`);
    say(`${fault.name}: ${gone.length} of ${rounds}, ${gaps.join(", ")}`);
  };
  const costOf = (fault: Fault): Cost => ({ fault, met: {}, lost: [] });
  const [asynchronous, synchronous] = [faults.map(costOf), synchronousFaults.map(costOf)];
  for (let round = 0; round < rounds; round++) for (const cost of asynchronous) await suffer(cost);
  await perch.type(["postgres", "sync", "on", "-a", "pg"]);
  for (let round = 0; round < rounds; round++) for (const cost of synchronous) await suffer(cost);
  return [...asynchronous, ...synchronous].flatMap(rowsOf);
}

/** Every member does its part, and then every writer has had 20 rows acknowledged. */
async function whole({ perch, writers }: Scene, signal: AbortSignal): Promise<void> {
  const client = clientOf(perch.home);
  const status = () => client.call("status", {}).catch(() => undefined);
  const settled = await ask(
    async () => {
      const cluster = (await status())?.clusters.find(({ name }) => name === "pg");
      const parts = cluster?.members.map(({ role, state }) => `${role} ${state}`).toSorted();
      return parts?.join() === "leader started,replica streaming" && cluster?.synchronous !== "waiting"
        ? true
        : undefined;
    },
    { everyMs: 50, withinMs: 120_000, signal },
  );
  if (settled === undefined) throw new Error("the cluster is not whole within two minutes");
  const from = now();
  const wrote = ({ writes }: Writer) =>
    writes.filter(({ acknowledged }) => acknowledged !== undefined && acknowledged > from).length >= 20;
  const goOn = await ask(() => (writers.every(wrote) ? true : undefined), { everyMs: 10, withinMs: 60_000, signal });
  if (goOn === undefined) throw new Error("a writer does not write again within a minute");
}

/** The first of the values has the goal, so what 6432 alone promises is a row of its own. */
function rowsOf({ fault: { name, gap: aim, unnoticedBy }, met: seen, lost }: Cost): Row[] {
  const whos = Object.keys(seen);
  const of = (kind: keyof Met, who: string) => (seen[who] ?? []).map((one) => one[kind]);
  const values = (kind: keyof Met, chosen = whos) => Object.fromEntries(chosen.map((who) => [who, of(kind, who)]));
  const none = { goal: { atMost: 0, worst: 0 } };
  const held = whos.filter((who) => who === names.pool && name.startsWith("switchover"));
  return [
    {
      what: `${name}: longest time without an acknowledged write`,
      unit: "ms",
      values: values("gap"),
      ...(aim === undefined ? {} : { goal: aim }),
    },
    ...whos.map((who) => ({
      what: `${name}: failed writes and connects`,
      unit: "",
      values: { [who]: of("failed", who) },
      ...(unnoticedBy.includes(who) ? none : {}),
    })),
    ...held.map((who) => ({
      what: `${name}: the longest a write was held`,
      unit: "ms",
      values: values("held", [who]),
      goal: { atMost: 300, worst: 300 },
    })),
    { what: `${name}: acknowledged rows lost`, unit: "", values: { all: lost }, ...none },
  ];
}
