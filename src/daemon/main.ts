/**
 * perchd: builds every part of one network, starts them in order and stops them in reverse. Nothing imports it. Until
 * it is ready it reports on stdout, one JSON value a line; its log goes to stderr. Everything that must outlive it
 * (servers, the name server, the namespace) is a process of its own or the kernel's, and is adopted by the next perchd.
 * SIGTERM ends all of that, too; `leaveSignal` ends perchd alone.
 */
import { chmod, rm } from "node:fs/promises";
import { within } from "../base/deadline.ts";
import { openLog } from "../base/log.ts";
import { fail, isCode, toPerchError } from "../errors/error.ts";
import { readText, writeWhole } from "../host/files/files.ts";
import { leaveSignal, oneHeap } from "../host/process/daemon.ts";
import { findHome, type Home } from "../host/system/home.ts";
import { identify } from "../host/process/process.ts";
import { perchVersion } from "../host/system/version.ts";
import { httpServer } from "../server/http/http.ts";
import { refuseUnknown } from "../store/known.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { refuseLostStore, refuseStrangeStore } from "./lost-state.ts";
import { prepareDirectories } from "./prepare.ts";
import { keepApiSocket } from "./api-socket.ts";
import { startNetwork } from "./start.ts";

/** A caller that does not hang up is not waited for. */
const leaveMs = 1_000;

const log = openLog(2);
const say = (value: object) => void process.stdout.write(`${JSON.stringify(value)}\n`);
process.stdout.on("error", () => undefined); // whoever started us has heard enough
process.on("unhandledRejection", (error) => log.error({ err: error }, "a rejection that was not handled"));

async function main(): Promise<void> {
  delete process.env[oneHeap];
  const home = findHome();
  const version = perchVersion();
  await prepareDirectories(home);
  const store = await openStore(home);
  const network = await startNetwork({
    home,
    version,
    store,
    log,
    portable: process.env["PERCH_PORTABLE"] === "1",
    progress: (sentence) => say({ progress: sentence }),
  });

  const app = httpServer(network.handlers, { log, version, upgrade: network.upgrade });
  let ending: Promise<void> | undefined;
  network.onShutdown(() => {
    // After the answer of the request that asked for it.
    ending ??= end();
  });
  async function end(): Promise<void> {
    await app.close();
    await rm(home.daemonFile, { force: true });
    await store.close();
    log.info("perchd has stopped");
    process.exit(0);
  }
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void network.shutdown(() => undefined));
  process.on(leaveSignal, () => {
    ending ??= leave();
  });
  /**
   * What runs goes on; whoever waits for an answer is told that the connection is lost. perchd.json stays, for what it
   * speaks of is not ended.
   */
  async function leave(): Promise<void> {
    await within(leaveMs, app.close());
    await rm(home.socket, { force: true });
    await store.close();
    log.info("perchd leaves what it looked after to the next one");
    process.exit(0);
  }
  process.on("SIGHUP", () => undefined);

  await rm(home.socket, { force: true }); // the store's lock says that no other perchd listens there
  await app.listen({ path: home.socket });
  await chmod(home.socket, 0o600);
  network.speakAt(await keepApiSocket(home.socket, app.server));
  await writeDaemonFile(home, version);
  log.info({ version, mode: network.mode, home: home.root }, "perchd is ready");
  say({ ready: true });
}

/** Who runs, for a perch that finds nobody at the socket. On a full disk it is written as soon as there is room. */
async function writeDaemonFile(home: Home, version: string): Promise<void> {
  const text = `${JSON.stringify({ ...(await identify(process.pid)), version })}\n`;
  const write = () =>
    Promise.all([writeWhole(home.daemonFile, text), writeWhole(home.pidFile, `${process.pid}\n`)]).then(
      () => true,
      (error: unknown) => {
        if (!isCode(toPerchError(error), "disk_full")) throw error;
        return false;
      },
    );
  if (await write()) return;
  log.warn({ path: home.daemonFile }, "the disk is full: it is written later");
  const again = setInterval(() => {
    write().then(
      (written) => written && clearInterval(again),
      (error: unknown) => log.error({ err: error }, "perchd.json cannot be written"),
    );
  }, writeAgainMs);
}

const writeAgainMs = 5_000;

async function openStore(home: Home): Promise<Store> {
  await refuseLostStore(home);
  const pid = /"pid":\s*(\d+)/.exec((await readText(home.daemonFile)) ?? "")?.[1] ?? "starting";
  const store = await openSqliteStore({
    path: home.store,
    locked: () => fail("already_running", { home: home.root, pid }),
    watcherFailed: (error) => log.error({ err: error }, "a watcher failed"),
  });
  try {
    await refuseUnknown(store);
    await refuseStrangeStore(home, store);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

main().catch((error: unknown) => {
  const known = toPerchError(error);
  log.error({ err: error, code: known.code }, "perchd did not start");
  process.stdout.write(`${JSON.stringify({ error: known.toBody() })}\n`, () => process.exit(1));
});
