import { dirname, join } from "node:path";
import { ask } from "../base/deadline.ts";
import { fail } from "../errors/error.ts";
import { startDetached } from "../host/process/command.ts";
import { writeWhole } from "../host/files/files.ts";
import { ourProgram } from "../host/process/program.ts";
import { connectNameServer, type NameServerClient } from "./control.ts";
import type { Settings } from "./settings.ts";

const readyWithinMs = 20_000;

/** The settings lie beside the control socket, as `dns.json`; argv of the program that reads them. */
async function programOf(wanted: Settings, program = ourProgram(import.meta.url, "main")): Promise<string[]> {
  const file = join(dirname(wanted.control), "dns.json");
  await writeWhole(file, JSON.stringify(wanted));
  return [...program, file];
}

/**
 * Starts a name server that outlives this process and waits until it answers. Its output goes to a file descriptor or
 * nowhere. Rejects with `name_server_failed` when it ends or stays silent instead.
 */
export async function startNameServer(
  wanted: Settings,
  outputFd?: number,
  program?: string[],
): Promise<NameServerClient> {
  const started = await startDetached(await programOf(wanted, program), {
    cwd: "/",
    ...(outputFd === undefined ? {} : { outputFd }),
  });
  let end: string | undefined;
  void started.ended.then(({ exitCode, signal }) => (end = `it ended with ${signal ?? `exit code ${exitCode}`}`));
  return answering(
    wanted.control,
    (pid) => pid === started.pid,
    async () => end,
  );
}

/**
 * Has the one that runs start its successor, which answers from then on. Rejects with `name_server_failed`, and then
 * the old one goes on.
 */
export async function succeedNameServer(old: NameServerClient, wanted: Settings): Promise<NameServerClient> {
  const { pid: before } = await old.ping();
  await old.succeed(await programOf(wanted));
  const failed = async () =>
    // An old one that does not answer hands nothing over.
    (await old.ping().catch(() => undefined))?.succession === "failed"
      ? "the one before could not hand over to it"
      : undefined;
  return answering(wanted.control, (pid) => pid !== before, failed);
}

async function answering(
  control: string,
  isIt: (pid: number) => boolean,
  failed: () => Promise<string | undefined>,
): Promise<NameServerClient> {
  const ready = await ask(
    async () => {
      const why = await failed();
      if (why !== undefined) return why;
      // It is not there yet: asked again.
      const client = await connectNameServer(control).catch(() => undefined);
      // It does not answer yet: asked again.
      const pong = await client?.ping().catch(() => undefined);
      if (pong !== undefined && isIt(pong.pid)) return client;
      client?.close();
      return undefined;
    },
    { everyMs: 10, withinMs: readyWithinMs },
  );
  if (typeof ready === "object") return ready;
  throw fail("name_server_failed", { why: ready ?? `it did not answer within ${readyWithinMs / 1000} s` });
}
