/**
 * A cluster under a writing load that keeps a ledger, and what a fault costs it. Every test file of this folder begins
 * with one.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cluster, Member } from "../../src/api/schemas.ts";
import { gaps, ledgerAt, rowOf, secondWriters, type Told } from "../support/ledger.ts";
import type { RunningProgram } from "../support/perch.ts";
import { recordProcess } from "../support/processes.ts";
import { digests, doubled, ledgerTable, missing, secondWritersInData } from "../support/proof.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { eventually, type World } from "../support/world.ts";
import { costsOf } from "./costs.ts";
import { killDaemon } from "./deeds.ts";
import type { Fault } from "./fault.ts";

const writer = fileURLToPath(new URL("../support/writer.ts", import.meta.url));
const clients = 4;
/** Rows from so long before a fault are looked for after it; all of them at the end. */
const lookBackMs = 20_000;
const milliseconds = (): number => performance.timeOrigin + performance.now();

/** What is promised for every fault, as `suffer` gives it; and for all of them, as `end` does. */
export const asPromised = { lost: [], tooLongMs: 0, noticed: [], secondWriters: [] };
export const allKept = { lost: [], doubled: 0, secondWriters: [], digests: 1 };

export function trialIn(world: World, title: string, where: { replicas: readonly string[]; pooled?: true }) {
  const path = join(temporaryDirectory(), "ledger");
  const ledger = ledgerAt(path);
  const costs = costsOf(title);
  /** Rows that a fault was allowed to take. */
  const given = new Set<string>();
  let load: RunningProgram | undefined;

  const states = ({ members }: Cluster): string =>
    members
      .map(({ role, region, state }) => `${role} ${region} ${state}`)
      .toSorted()
      .join();
  const wanted = ["leader ams started", ...where.replicas.map((region) => `replica ${region} streaming`)]
    .toSorted()
    .join();
  const kept = (told: readonly Told[]) => told.filter((one) => one.what === "ok" && !given.has(rowOf(one)));

  /** Resolves with the members when all of them do their part. */
  async function whole(): Promise<readonly Member[]> {
    let seen = "";
    const asked = async () => {
      const cluster = await world.cluster().catch(() => undefined);
      if (cluster !== undefined)
        seen = JSON.stringify(cluster.members.map(({ role, region, state, note }) => ({ role, region, state, note })));
      return cluster !== undefined && cluster.synchronous !== "waiting" && states(cluster) === wanted
        ? cluster.members
        : undefined;
    };
    const { answer } = await eventually("all members do their part", asked, 120_000).catch(async (error: unknown) => {
      const said = await world.ok("events").catch(String);
      throw new Error(`they stand so: ${seen}\n${said.split("\n").slice(-40).join("\n")}`, { cause: error });
    });
    return answer;
  }

  /** Every client gets some more rows in. */
  async function goesOn(): Promise<void> {
    const from = milliseconds();
    const counted = () => {
      const counts = new Map<string, number>();
      for (const { what, client } of ledger.since(from))
        if (what === "ok") counts.set(client, (counts.get(client) ?? 0) + 1);
      return [...counts.values()].filter((count) => count >= 5).length === clients;
    };
    await eventually("every client writes on", counted, 60_000);
  }

  async function begin(): Promise<void> {
    load = await world.begin([
      "run",
      "-a",
      "web",
      "--",
      process.execPath,
      "--import",
      "tsx",
      writer,
      path,
      String(clients),
    ]);
    await recordProcess(load.pid);
    await goesOn();
  }

  return {
    whole,

    async prepare(): Promise<void> {
      await world.ok("up");
      await world.create();
      for (const region of where.replicas)
        await world.ok("machine", "clone", (await world.leader()).id, "--region", region);
      await world.ok("apps", "create", "web");
      // The mode in which a planned change costs no query; a PgBouncer before 1.21 has it where it is said that no
      // client prepares, as these do not.
      if (where.pooled)
        await world.ok("postgres", "pool", "on", "-a", "pg", "--mode", "transaction", "--no-prepared-statements");
      await world.ok("postgres", "attach", "pg", "--app", "web", ...(where.pooled ? ["--pooled"] : []));
      await world.ok("run", "-a", "web", "--", "psql", "-c", ledgerTable);
      await begin();
    },

    /** Does it, waits until all is as before, and gives what it cost beyond what is promised. */
    async suffer(fault: Fault, round = 0): Promise<object> {
      if (fault.crash) await killDaemon(world);
      await whole();
      await goesOn();
      const from = milliseconds();
      await fault.act(world, round);
      if (fault.endsLoad) {
        await load?.ended;
        await begin();
      }
      await goesOn();
      await whole();
      await goesOn();
      const until = milliseconds();
      const told = ledger.since(from);
      const { any: gap, one: clientGap } = gaps(told, from, until);
      const failed = told.filter(({ what }) => what !== "ok");
      const lost = await missing(world, "web", kept(ledger.since(from - lookBackMs)));
      for (const row of lost) given.add(row);
      if (lost.length > 0 && fault.rows === "kept") process.stderr.write(`${await world.ok("events")}\n`);
      const failedConnects = failed.filter(({ what }) => what === "connect").length;
      costs.add(fault, {
        gap,
        clientGap,
        failedQueries: failed.length - failedConnects,
        failedConnects,
        lost: lost.length,
      });
      return {
        lost: fault.rows === "kept" ? lost : [],
        tooLongMs: gap < fault.withinMs ? 0 : gap,
        noticed: fault.unnoticed ? failed : [],
        secondWriters: [...secondWriters(told), ...(await secondWritersInData(world, "web"))],
      };
    },

    /** Ends the load and looks at everything once more. */
    async end(): Promise<object> {
      load?.kill("SIGTERM");
      await load?.ended;
      const found = await digests(world, "web", await whole());
      return {
        lost: await missing(world, "web", kept(ledger.all())),
        doubled: await doubled(world, "web"),
        secondWriters: [...secondWriters(ledger.all()), ...(await secondWritersInData(world, "web"))],
        digests: new Set(found).size,
      };
    },

    report: costs.report,
  };
}
