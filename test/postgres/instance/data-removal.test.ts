import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formerData,
  installCopy,
  type Keeper,
  nextData,
  overwriteData,
  type Proof,
  prove,
  proveFarewell,
  type Question,
  removeFormer,
  removeMember,
  unfitBecause,
} from "../../../src/postgres/instance/data-removal.ts";
import type { Layout } from "../../../src/postgres/instance/directory.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const keeper: Keeper = {
  machine: "a1",
  systemIdentifier: 7n,
  timeline: 3,
  forks: new Map([
    [1, 100n],
    [2, 200n],
  ]),
  written: 300n,
};
const asked = (more: Partial<Question> = {}): Question => ({
  machine: "l1",
  what: "data",
  held: { systemIdentifier: 7n, timeline: 3, position: 250n, mayGoOn: false },
  keeper,
  going: [],
  ...more,
});
const held = (more: object) => ({
  held: { systemIdentifier: 7n, timeline: 3, position: 250n, mayGoOn: false, ...more },
});

describe("that the data of a member may go is proved", () => {
  it.each<[string, Partial<Question>, RegExp]>([
    ["by a leader that has written all of it", {}, /has everything that l1 has/],
    [
      "by a leader whose timeline came from its own",
      held({ timeline: 2, position: 200n }),
      /has everything that l1 has/,
    ],
    ["where it parted, for what came before that", held({ timeline: 2, position: 201n }), /up to where the two parted/],
    [
      "where it led and was killed, for as much",
      held({ timeline: 2, position: 150n, mayGoOn: true }),
      /up to where the two parted/,
    ],
    ["where no server could start from it", { held: undefined }, /no server can start from/],
    ["of former data, by the same member that leads now", { what: "former", machine: "a1" }, /has everything/],
  ])("%s", (_how, more, because) => {
    expect(prove(asked(more))).toMatchObject({
      machine: more.machine ?? "l1",
      because: expect.stringMatching(because) as string,
    });
  });

  it.each<[string, Partial<Question>, string]>([
    ["while no leader answers", { keeper: undefined }, "no leader answers that is known to have everything it has"],
    ["where it is the leader's", { machine: "a1" }, "it is the leader itself"],
    ["beside another whose data goes", { going: ["a2"] }, "the data of a2 is being replaced"],
    [
      "where it has more than the leader wrote on the same timeline",
      held({ position: 301n }),
      "it has WAL that the leader has not written",
    ],
    ["where it is another cluster's", held({ systemIdentifier: 8n }), "it holds the data of another cluster"],
  ])("and not %s", (_when, more, why) => {
    expect(prove(asked(more))).toBe(why);
  });

  it("for one that its user destroys, but not for the last data of a cluster that stays", () => {
    const farewell = { machine: "l1", destroying: true, whole: false, others: ["a1"], data: true };
    expect(proveFarewell(farewell)).toMatchObject({ machine: "l1" });
    expect(proveFarewell({ ...farewell, others: [] })).toBe("no other member of the cluster has data");
    expect(proveFarewell({ ...farewell, others: [], whole: true })).toMatchObject({ machine: "l1" });
    expect(proveFarewell({ ...farewell, destroying: false })).toBe("its removal was not asked for");
  });
});

async function memberWith(...names: ("data" | "next" | "old")[]): Promise<{ id: string; layout: Layout }> {
  const root = join(temporaryDirectory(), "l1");
  const layout: Layout = { root, data: join(root, "data"), tls: "", log: "", pass: "", sockets: join(root, "sockets") };
  const paths = { data: layout.data, next: nextData(layout), old: formerData(layout) };
  for (const name of names) {
    await mkdir(paths[name], { recursive: true });
    await writeFile(join(paths[name], "which"), name);
  }
  await mkdir(root, { recursive: true });
  return { id: "l1", layout };
}

const proof = (): Proof => prove(asked()) as Proof;
const which = (directory: string): Promise<string | undefined> =>
  readFile(join(directory, "which"), "utf8").catch(() => undefined);
const found = async ({ layout }: { layout: Layout }) => ({
  data: await which(layout.data),
  next: await which(nextData(layout)),
  old: await which(formerData(layout)),
});

describe("data goes", () => {
  it("for a proof of that member alone, and once for each", async () => {
    const member = await memberWith("data", "old");
    const forged: Proof = { machine: "l1", because: "somebody says so" };
    const anothers = prove(asked({ machine: "l2" })) as Proof;
    const used = proof();
    await removeFormer(member, used);
    for (const wrong of [forged, anothers, used, { ...proof() }])
      for (const take of [
        () => removeFormer(member, wrong),
        () => removeMember(member, wrong),
        () => overwriteData(member, wrong, () => Promise.reject(new Error("it began"))),
      ])
        await expect(take()).rejects.toMatchObject({ code: "internal" });
    expect(await found(member)).toEqual({ data: "data", next: undefined, old: undefined });
  });

  it("not for a copy without a proof, which is put where there is none all the same", async () => {
    const member = await memberWith("data", "next");
    await expect(installCopy(member, undefined)).rejects.toMatchObject({ code: "internal" });
    expect(await found(member)).toEqual({ data: "data", next: "next", old: undefined });
    const empty = await memberWith("next");
    await installCopy(empty, undefined);
    expect(await found(empty)).toEqual({ data: "next", next: undefined, old: undefined });
  });

  it("aside when a copy takes its place, and another copy that never streamed goes before it does", async () => {
    const member = await memberWith("data", "next");
    await installCopy(member, proof());
    expect(await found(member)).toEqual({ data: "next", next: undefined, old: "data" });
    await mkdir(nextData(member.layout));
    await writeFile(join(nextData(member.layout), "which"), "second");
    await installCopy(member, proof());
    expect(await found(member)).toEqual({ data: "second", next: undefined, old: "data" });
  });

  it("nowhere when perchd is killed between the two renames: the copy is put in place by the next one", async () => {
    const member = await memberWith("next", "old");
    await installCopy(member, undefined);
    expect(await found(member)).toEqual({ data: "next", next: undefined, old: "old" });
  });

  it("unfit, for as long as a program that changes it was not through, and no longer than that data is there", async () => {
    const member = await memberWith("data");
    await overwriteData(member, proof(), () => Promise.reject(new Error("killed"))).catch(() => undefined);
    expect(await unfitBecause(member.layout)).toBe("it was being rewound when that was cut short");
    await overwriteData(member, proof(), () => Promise.resolve({ unchanged: new Error("it could not connect") })).catch(
      () => undefined,
    );
    expect(await unfitBecause(member.layout)).toBeUndefined();
    await overwriteData(member, proof(), () => Promise.resolve({ unfit: "pg_rewind could not" }));
    expect(await unfitBecause(member.layout)).toBe("pg_rewind could not");
    await mkdir(nextData(member.layout));
    await installCopy(member, proof());
    expect(await unfitBecause(member.layout)).toBeUndefined();
    expect((await readdir(member.layout.root)).toSorted()).toEqual(["data", "data.old"]);
  });
});

it("no proof is made against what is known, whatever is asked", () => {
  const position = fc.bigInt({ min: 0n, max: 400n });
  const question = fc.record({
    machine: fc.constantFrom("a1", "l1"),
    what: fc.constantFrom("data" as const, "former" as const),
    held: fc.option(
      fc.record({
        systemIdentifier: fc.constantFrom(7n, 8n),
        timeline: fc.integer({ min: 1, max: 4 }),
        position,
        mayGoOn: fc.boolean(),
      }),
      { nil: undefined },
    ),
    keeper: fc.option(
      fc.record({
        machine: fc.constant("a1"),
        systemIdentifier: fc.constant(7n),
        timeline: fc.constant(3),
        forks: fc.constant(keeper.forks),
        written: position,
      }),
      {
        nil: undefined,
      },
    ),
    going: fc.subarray(["l2"]),
  });
  fc.assert(
    fc.property(question, (one) => {
      const given = prove(one);
      if (typeof given === "string") return;
      expect(one.keeper).toBeDefined();
      expect(one.going).toEqual([]);
      expect(one.what === "former" || one.machine !== one.keeper?.machine).toBe(true);
      if (one.held === undefined) return;
      expect(one.held.systemIdentifier).toBe(7n);
      if (one.held.timeline === 3 && !one.held.mayGoOn)
        expect(one.held.position <= (one.keeper?.written ?? -1n)).toBe(true);
    }),
    { seed: 20261128, numRuns: 5_000 },
  );
});
