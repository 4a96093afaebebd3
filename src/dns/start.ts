import { dirname, join } from "node:path";
import { ask } from "../base/deadline.ts";
import { fail } from "../errors/error.ts";
import { startDetached } from "../host/command.ts";
import { writeWhole } from "../host/files.ts";
import { ourProgram } from "../host/program.ts";
import { connectNameServer, type NameServerClient } from "./control.ts";
import type { Settings } from "./settings.ts";

const readyWithinMs = 20_000;

/**
 * Starts a name server that outlives this process and waits until it answers. The settings lie beside the control socket, as `dns.json`. Its output
 * goes to a file descriptor or nowhere. Rejects with `name_server_failed` when it ends or stays silent instead.
 */
export async function startNameServer(wanted: Settings, outputFd?: number): Promise<NameServerClient> {
  const file = join(dirname(wanted.control), "dns.json");
  await writeWhole(file, JSON.stringify(wanted));
  const started = await startDetached([...ourProgram(import.meta.url, "main"), file], { cwd: "/", ...(outputFd === undefined ? {} : { outputFd }) });
  let end: string | undefined;
  void started.ended.then(({ exitCode, signal }) => (end = `it ended with ${signal ?? `exit code ${exitCode}`}`));
  const ready = await ask(
    async () => {
      if (end !== undefined) return end;
      const client = await connectNameServer(wanted.control).catch(() => undefined);
      if ((await client?.ping().catch(() => undefined))?.pid === started.pid) return client;
      client?.close();
      return undefined;
    },
    { everyMs: 10, withinMs: readyWithinMs },
  );
  if (typeof ready === "object") return ready;
  throw fail("name_server_failed", { why: ready ?? `it did not answer within ${readyWithinMs / 1000} s` });
}
