import type { PoolLayout } from "./layout.ts";
import { open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ask } from "../base/deadline.ts";
import { fail } from "../errors/error.ts";
import { run, startDetached } from "../host/process/command.ts";
import { readBelow, saysBelow, unlessStrange } from "../host/files/below.ts";
import { findProgram, removeTree, shortenLog, writeWhole } from "../host/files/files.ts";
import { asOwnerOf, type Place } from "../host/process/place.ts";
import { endOccupants } from "../host/process/occupants.ts";
import { awaitEnd, endProcess, identify, worksIn } from "../host/process/process.ts";
import { lastWordsAt } from "../host/system/machine.ts";
import { safeMode } from "../model/pool.ts";
import type { ProcessIdentity } from "../model/records.ts";
import { makeOwned, makeWalkable } from "../postgres/instance/directory.ts";
import { configText, type PoolConfig, userText } from "./config.ts";
import { describe, openConsole } from "./console.ts";
import { guardPause } from "./pause-guard.ts";

/** The program and its version; `again` where it may have been replaced. Rejects with `pooler_missing`. */
export async function findPooler(again = false): Promise<{ program: string; version: string }> {
  known = again ? look() : (known ?? look());
  const found = await known;
  if (found === undefined) known = undefined; // it may be installed by the next time
  if (found === undefined) throw fail("pooler_missing", {});
  return found;
}

let known: Promise<{ program: string; version: string } | undefined> | undefined;

async function look(): Promise<{ program: string; version: string } | undefined> {
  const program = await findProgram("pgbouncer");
  // A program that does not run has no version, and is none.
  const said = program === undefined ? undefined : await run([program, "--version"]).catch(() => undefined);
  const version = /PgBouncer (\S+)/.exec(said?.stdout ?? "")?.[1];
  return program === undefined || version === undefined ? undefined : { program, version };
}

export interface Pooler {
  at: PoolLayout;
  place: Place;
  config: Omit<PoolConfig, "sockets" | "userFile" | "tls" | "version">;
  /** Of the role `perch_pooler`. */
  password: string;
  certificate: { certificate: string; key: string };
}

type Uncertified = Omit<Pooler, "certificate">;
const wholeConfig = ({ at, place, config }: Uncertified, version: string): string =>
  configText({
    ...config,
    version,
    sockets: at.sockets,
    userFile: place.seen(at.users),
    tls: { key: place.seen(at.key), certificate: place.seen(at.certificate) },
  });

/** The process that runs in this directory, whoever started it. */
export async function findPoolerProcess(at: PoolLayout): Promise<ProcessIdentity | undefined> {
  const pid = Number((await readBelow(at.root, "pid").catch(unlessStrange))?.trim());
  const process = Number.isInteger(pid) && pid > 0 ? await identify(pid) : undefined;
  return process !== undefined && (await worksIn(process.pid, at.root)) ? process : undefined;
}

/** Whether it runs as the user of an older Perch. */
export const runsAsFormer = ({ sockets }: PoolLayout, place: Place): boolean =>
  asOwnerOf(place, sockets).successor !== undefined;

/** Whether its files say what they should. */
export async function poolerIsCurrent(pooler: Uncertified, version: string): Promise<boolean> {
  const { at, password } = pooler;
  return (await says(at.config, wholeConfig(pooler, version))) && says(at.users, userText(password));
}

/** They are PostgreSQL's user's, and the directory is perchd's. */
const says = (path: string, content: string): Promise<boolean> => saysBelow(dirname(path), basename(path), content);

/** What it serves by now; undefined where a part of it is missing. */
export async function poolerCertificate(at: PoolLayout): Promise<Pooler["certificate"] | undefined> {
  const read = (path: string) => readBelow(at.root, basename(path)).catch(unlessStrange);
  const [certificate, key] = await Promise.all([read(at.certificate), read(at.key)]);
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

/**
 * Writes its files, and starts it or has it read them. Resolves when its console answers a connection. Rejects with
 * `pooler_failed`.
 */
export async function ensurePooler(pooler: Pooler): Promise<void> {
  const running = await findPoolerProcess(pooler.at);
  // One that an older Perch started reads its files as the user it runs as.
  const asItIs = { ...pooler, place: asOwnerOf(pooler.place, pooler.at.sockets) };
  if (running !== undefined && (await tell(asItIs, running).catch(goneMeanwhile(running)))) return;
  const found = await findPooler();
  await writeFiles(pooler, found.version);
  await start(pooler, found.program);
}

/** One that died is no reason to fail: it is started again. Its sockets go a moment before it does. */
const goneMeanwhile = (running: ProcessIdentity) => async (error: unknown) => {
  if (!(await awaitEnd(running, endsWithinMs))) throw error;
  return false;
};
const endsWithinMs = 500;

/**
 * Has what runs read its settings. It may be older than the program on the disk: they are for what runs. False where it
 * was ended instead: in another mode nobody may meet what a session left on a connection, and what a driver believes to
 * have prepared is gone. So all begin again, when transactions under way have ended.
 */
async function tell(pooler: Pooler, process: ProcessIdentity): Promise<boolean> {
  const console = await openConsole(pooler.at, { port: pooler.config.port, password: pooler.password });
  let guarded: (() => void) | undefined;
  try {
    const running = await describe(console);
    if (running.mode === safeMode(pooler.config, running.version)) {
      await writeFiles(pooler, running.version);
      await console.ask("RELOAD");
      return true;
    }
    if (running.mode === "transaction") {
      guarded = await guardPause(process);
      // Clients whose transactions do not end in time are disconnected by what follows.
      await console.ask("PAUSE", transactionsEndWithinMs).catch(() => undefined);
    }
  } finally {
    await console.close();
  }
  await stopPooler(pooler.at);
  guarded?.();
  return false;
}

const transactionsEndWithinMs = 2_000;

async function writeFiles(pooler: Pooler, version: string): Promise<void> {
  const { at, place } = pooler;
  // perchd's own, as a member's is: each file in it is PostgreSQL's user's, and closed to others.
  for (const path of [dirname(dirname(at.root)), dirname(at.root), dirname(at.sockets), at.root])
    await makeWalkable(path, place);
  await makeOwned(at.sockets, place);
  const owner = place.owner === undefined ? {} : { owner: place.owner };
  await writeWhole(at.certificate, pooler.certificate.certificate, owner);
  await writeWhole(at.key, pooler.certificate.key, owner);
  await writeWhole(at.users, userText(pooler.password), owner);
  await writeWhole(at.config, wholeConfig(pooler, version), owner);
}

async function start({ at, place, config }: Pooler, program: string): Promise<void> {
  // One whose number nobody wrote down would keep the port for ever.
  await endOccupants(at.root, "pgbouncer");
  await rm(at.log, { force: true });
  const output = await open(at.log, "a", 0o600);
  try {
    const argv = place.server(["env", "-i", "PATH=/usr/bin:/bin", program, place.seen(at.config)]);
    const started = await startDetached(argv, { cwd: at.root, outputFd: output.fd });
    let ended = false;
    void started.ended.then(() => (ended = true));
    await writeWhole(join(at.root, "pid"), `${started.pid}\n`);
    const said = async () =>
      (await readBelow(at.root, basename(at.log), { atMost: 65_536, last: true }).catch(unlessStrange)) ?? "";
    const ready = async () => (ended ? false : /process up/.test(await said()) ? true : undefined);
    const up = (await ask(ready, { everyMs: 10, withinMs: 5_000 })) === true;
    const lines = (await said()).trim().split("\n");
    const { address, port } = config;
    // Where another program has its port it only warns, and runs with its console alone.
    if (
      up &&
      lines.some((line) => line.endsWith(` listening on ${address.includes(":") ? `[${address}]` : address}:${port}`))
    )
      return;
    if (up) await stopPooler(at);
    const severe = lines.filter((line) => /WARNING|ERROR|FATAL/.test(line));
    const words = (severe.length > 0 ? severe : lines).slice(-2).join("; ");
    throw fail("pooler_failed", {
      address: `${config.address}:${config.port}`,
      why: await lastWordsAt(at.root, words),
    });
  } finally {
    await output.close();
  }
}

const longLogBytes = 4 * 1024 * 1024;

/** What it says is read when it does not start; of the rest nobody keeps more than this. */
export const keepLogShort = (at: PoolLayout): Promise<void> => shortenLog(at.log, longLogBytes);

/** Ends it; its clients' connections end with it. */
export async function stopPooler(at: PoolLayout): Promise<void> {
  const running = await findPoolerProcess(at);
  if (running !== undefined) await endProcess(running, 500);
  await endOccupants(at.root, "pgbouncer");
}

/** Ends it and takes its files away. */
export async function removePooler(at: PoolLayout): Promise<void> {
  await stopPooler(at);
  await removeTree(at.root);
  await removeTree(at.sockets);
}
