import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Acknowledged, digests, gap, ledgerTable, missing, readLedger, writersByTimeline } from "../support/ledger.ts";
import type { RunningProgram } from "../support/perch.ts";
import { recordProcess } from "../support/processes.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";
import { type Fault, faults } from "./faults.ts";

/**
 * Faults under a writing load, on real processes: after each, every acknowledged row is there where that is promised, nobody but one leader a timeline took a
 * write, and all members have the same. FAULT_ROUNDS repeats each; the table at the end says what each cost.
 */
const rounds = Number(process.env["FAULT_ROUNDS"] ?? 1);
const writer = fileURLToPath(new URL("../support/writer.ts", import.meta.url));
const asPromised = { lost: [], inTime: true, secondWriters: [] };
const milliseconds = (): number => performance.timeOrigin + performance.now();

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("a cluster that is written to", () => {
  const world = worldIn();
  const path = join(mkdtempSync(join(tmpdir(), "perch-ledger-")), "ledger");
  const costs = new Map<string, { gaps: number[]; lost: number }>();
  /** Rows that a fault was allowed to take. */
  const given = new Set<string>();
  let load: RunningProgram;

  const whole = () =>
    eventually(
      "all members do their part",
      async () => {
        const { members, synchronous } = await world.cluster().catch(() => ({ members: [], synchronous: "off" as const }));
        const states = members.map(({ role, state }) => `${role} ${state}`).toSorted();
        return synchronous !== "waiting" && states.join() === "leader started,replica streaming,replica streaming" ? members : undefined;
      },
      120_000,
    );
  const acknowledged = (): Acknowledged[] => readLedger(path).filter(({ row }) => !given.has(row));
  /** Writes go on: so many rows more than at that moment. */
  const goesOn = (from: number) => eventually("writes go on", () => readLedger(path).filter(({ at }) => at > from).length >= 20, 60_000);

  const begin = async () => {
    load = await world.begin(["run", "-a", "web", "--", process.execPath, "--import", "tsx", writer, path, "4"]);
    await recordProcess(load.pid);
  };

  /** What a fault cost, against what is promised for it. */
  async function suffer(fault: Fault, round = 0): Promise<object> {
    await whole();
    await goesOn(milliseconds());
    const from = milliseconds();
    await fault.act(world, round);
    if (fault.endsLoad) await begin();
    await goesOn(milliseconds());
    await whole();
    const until = milliseconds();
    const cost = costs.get(fault.name) ?? { gaps: [], lost: 0 };
    costs.set(fault.name, cost);
    const seen = acknowledged();
    const lost = await missing(world, "web", seen);
    cost.gaps.push(gap(seen, from, until));
    cost.lost += lost.length;
    for (const row of lost) given.add(row);
    const writers = await writersByTimeline(world, "web");
    return {
      lost: fault.rows === "kept" ? lost : [],
      inTime: (cost.gaps.at(-1) ?? 0) < fault.withinMs,
      secondWriters: writers.filter(({ servers, overlaps }) => servers !== 1 || overlaps),
    };
  }

  beforeAll(async () => {
    await world.ok("up");
    await world.create("pg", "--initial-cluster-size", "2");
    await world.ok("machine", "clone", (await world.leader()).id, "--region", "lhr");
    await world.ok("apps", "create", "web");
    await world.ok("postgres", "attach", "pg", "--app", "web");
    await world.ok("run", "-a", "web", "--", "psql", "-c", ledgerTable);
    await begin();
  });

  afterAll(async () => {
    await world.ok("down");
    const rows = [...costs].map(([name, { gaps, lost }]) => {
      const sorted = gaps.toSorted((a, b) => a - b).map(Math.round);
      return `${name.padEnd(52)} ${sorted[0]} / ${sorted[Math.floor(sorted.length / 2)]} / ${sorted.at(-1)} ms (${gaps.length}), ${lost} rows lost`;
    });
    process.stderr.write(`the longest time without an acknowledged row, min / median / max\n${rows.join("\n")}\n`);
  });

  it.each(faults.filter(({ name }) => !name.includes("synchronous")))("bears $name: rows $rows", async (fault) => {
    for (let round = 0; round < Math.max(rounds, fault.times ?? 1); round++) expect(await suffer(fault, round)).toEqual(asPromised);
  });

  it("bears many switchovers in a row", async () => {
    const [switchover] = faults;
    for (let round = 0; round < (rounds > 1 ? 20 : 3); round++) expect(switchover && (await suffer(switchover))).toEqual(asPromised);
  });

  describe("with synchronous replication", () => {
    beforeAll(async () => {
      await world.ok("postgres", "sync", "on", "-a", "pg");
    });
    it.each(faults.filter(({ name }) => name.includes("synchronous")))("bears $name: rows $rows", async (fault) => {
      for (let round = 0; round < rounds; round++) expect(await suffer(fault, round)).toEqual(asPromised);
    });
  });

  it("has the same on every member at the end", async () => {
    load.kill("SIGTERM");
    const { stdout } = await load.ended;
    process.stderr.write(`what the clients saw in all: ${stdout}`);
    const { answer: members } = await whole();
    const found = await digests(world, "web", members);
    expect(new Set(found).size).toBe(1);
    expect(await missing(world, "web", acknowledged())).toEqual([]);
  });
});
