import { randomBytes } from "node:crypto";
import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../../errors/error.ts";
import { exists, readText, removeTree, syncDirectory, writeWhole } from "../../host/files/files.ts";
import type { Layout } from "./directory.ts";
import { type History, isPartOf } from "../replication/timeline.ts";

/**
 * The only file that removes, replaces or overwrites a data directory. Each of its functions that does so demands a
 * proof, which `prove` alone makes: another member, or a verified copy, has everything that the data has, and no other
 * member's data goes at the same time. A proof is for one member and is used once.
 */
export interface Proof {
  readonly machine: string;
  /** Who has everything, in words for `perch events`. */
  readonly because: string;
}

/** What some data holds: how far its WAL goes, and on which timeline. */
export interface Held {
  systemIdentifier: bigint;
  timeline: number;
  position: bigint;
  /** It led and did not stop in order, so its WAL may go on after that position. */
  mayGoOn: boolean;
}

/** The member that has everything: the leader, which answers now and takes writes. */
export interface Keeper {
  machine: string;
  systemIdentifier: bigint;
  timeline: number;
  forks: History;
  /** Up to where it has written WAL. */
  written: bigint;
}

export interface Question {
  machine: string;
  /** "data": what the member runs on. "former": what it ran on before a copy took its place. */
  what: "data" | "former";
  /** Undefined: there is nothing that a server could start from. */
  held: Held | undefined;
  keeper: Keeper | undefined;
  /** Other members whose data goes at this moment. */
  going: readonly string[];
}

/** The member's user asked for its end; `others` are the other members that have data. */
export interface Farewell {
  machine: string;
  /** The record says `destroying`. */
  destroying: boolean;
  /** The whole cluster is being destroyed. */
  whole: boolean;
  others: readonly string[];
  /** It has data, so something can be lost. */
  data: boolean;
}

const issued = new WeakSet<Proof>();

/** A proof, or why there is none. Pure but for the proof's validity. */
export function prove(question: Question): Proof | string {
  const { machine, what, held, keeper, going } = question;
  if (keeper === undefined) return "no leader answers that is known to have everything it has";
  if (what === "data" && keeper.machine === machine) return "it is the leader itself";
  if (going.length > 0) return `the data of ${going.join(", ")} is being replaced`;
  if (held === undefined)
    return issue(
      machine,
      `the leader ${keeper.machine} has everything; what is left of ${machine} no server can start from`,
    );
  if (held.systemIdentifier !== keeper.systemIdentifier) return "it holds the data of another cluster";
  if (!held.mayGoOn && held.timeline === keeper.timeline && held.position > keeper.written)
    return "it has WAL that the leader has not written";
  if (!held.mayGoOn && isPartOf(keeper, held))
    return issue(machine, `the leader ${keeper.machine} has everything that ${machine} has`);
  return issue(
    machine,
    `the leader ${keeper.machine} has everything up to where the two parted; what ${machine} wrote after that the cluster never had`,
  );
}

/** A member that is destroyed because its user asked for it: the last data of a cluster goes only with the cluster. */
export function proveFarewell({ machine, destroying, whole, others, data }: Farewell): Proof | string {
  if (!destroying && !whole) return "its removal was not asked for";
  if (!whole && data && others.length === 0) return "no other member of the cluster has data";
  return issue(machine, "its user asked for its end");
}

function issue(machine: string, because: string): Proof {
  const proof = { machine, because };
  issued.add(proof);
  return proof;
}

/** A proof that somebody made up, one for another member, or one that was used already destroys nothing. */
function spend(proof: Proof, machine: string): void {
  if (proof.machine !== machine || !issued.delete(proof))
    throw fail("internal", { why: `the data of ${machine} was to go without a proof` });
}

/** A whole copy that waits to be put in place. */
export const nextData = (at: Layout): string => `${at.data}.next`;
/** What the member ran on before, until its copy streams. */
export const formerData = (at: Layout): string => `${at.data}.old`;
/** What is being removed; what a killed perchd left of it is a leftover. */
const gone = (at: Layout): string => `${at.data}.gone-${randomBytes(4).toString("hex")}`;

/**
 * Puts the copy in place of what the server, which does not run, ran on; that is kept beside it. Two renames: whoever
 * is killed between them finds no data, a whole copy and the former data, and does this again. A copy that takes the
 * place of another copy that never streamed removes that one, not the former data.
 */
export async function installCopy(member: { id: string; layout: Layout }, proof: Proof | undefined): Promise<void> {
  const { id, layout: at } = member;
  if (await exists(at.data)) {
    if (proof === undefined) throw fail("internal", { why: `the data of ${id} was to go without a proof` });
    spend(proof, id);
    await rename(at.data, (await exists(formerData(at))) ? gone(at) : formerData(at));
  }
  await rename(nextData(at), at.data);
  await syncDirectory(at.data);
  await rm(markFile(at), { force: true });
}

/** Removes the former data of a member whose copy streams. */
export async function removeFormer(member: { id: string; layout: Layout }, proof: Proof): Promise<void> {
  spend(proof, member.id);
  const going = gone(member.layout);
  await rename(formerData(member.layout), going);
  await removeTree(going);
}

/** Removes all of a member that does not run. What is half removed no longer has its name. */
export async function removeMember({ id, layout: at }: { id: string; layout: Layout }, proof: Proof): Promise<void> {
  spend(proof, id);
  await removeTree(at.sockets);
  if (!(await exists(at.root))) return;
  const going = `${at.root}.gone-${randomBytes(4).toString("hex")}`;
  await rename(at.root, going);
  await removeTree(going);
}

/**
 * Lets a program change the data in place. Until it has done so, the data is marked unfit: one that was killed half-way
 * leaves what no server should start from. `work` gives why the data is unfit still, or the error that ended it before
 * anything was changed, or nothing.
 */
export async function overwriteData(
  { id, layout: at }: { id: string; layout: Layout },
  proof: Proof,
  work: () => Promise<{ unfit?: string; unchanged?: Error }>,
): Promise<string | undefined> {
  spend(proof, id);
  await markUnfit(at, "it was being rewound when that was cut short");
  const { unfit, unchanged } = await work();
  if (unfit === undefined) await rm(markFile(at), { force: true });
  else await markUnfit(at, unfit);
  if (unchanged !== undefined) throw unchanged;
  return unfit;
}

/**
 * Beside the data, in a directory of perchd's own: the data's number and why it cannot be used. One of other data says
 * nothing.
 */
const markFile = (at: Layout): string => join(at.root, "unfit");

async function markUnfit(at: Layout, why: string): Promise<void> {
  const { ino } = await stat(at.data);
  await writeWhole(markFile(at), `${ino}\n${why}\n`);
}

/** Why the data must be copied; undefined when it need not. */
export async function unfitBecause(at: Layout): Promise<string | undefined> {
  const text = await readText(markFile(at));
  if (text === undefined) return undefined;
  const [number = "", why = ""] = text.split("\n");
  // It may not be there: then nothing can go.
  const found = await stat(at.data).catch(() => undefined);
  return found !== undefined && String(found.ino) === number ? why : undefined;
}
