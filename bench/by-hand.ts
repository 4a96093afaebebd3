/**
 * PostgreSQL as one starts it without Perch: initdb, pg_ctl, pg_basebackup, psql; the same binaries, the same user, the
 * same disk.
 */
import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask } from "../src/base/deadline.ts";
import { run } from "../src/host/process/command.ts";
import { isRoot } from "../src/host/system/home.ts";
import { freePort } from "../src/host/sockets/ports.ts";
import { ensureServerUser } from "../src/host/system/users.ts";
import type { Binaries } from "../src/postgres/instance/binaries.ts";
import { initdbArguments } from "../src/postgres/instance/initdb.ts";

export const password = "bench-by-hand";

export interface ServerByHand {
  /** Where its socket is, and the number in the socket's name. */
  sockets: string;
  port: number;
  data: string;
  sql(text: string): Promise<string>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

export interface ByHand {
  /** initdb with the options that Perch gives it. */
  initialise(name: string): Promise<string>;
  /** pg_ctl start, which waits until the server takes connections. */
  start(data: string): Promise<ServerByHand>;
  /** pg_basebackup with a slot of its own; the data directory of a replica. */
  copy(leader: ServerByHand, name: string): Promise<string>;
}

/** Below a directory of its own; servers that were not removed are ended when `work` is done. */
export async function withServersByHand<T>(
  { directory, major }: Binaries,
  work: (byHand: ByHand) => Promise<T>,
): Promise<T> {
  const user = isRoot() ? await ensureServerUser() : undefined;
  const become =
    user === undefined ? [] : ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", "--"];
  const root = await mkdtemp(join(tmpdir(), "perch-bench-hand-"));
  const passwordFile = join(root, "password");
  const env = { PGPASSWORD: password };
  const tool = (program: string, ...args: string[]) =>
    run([...become, join(directory, program), ...args], { env, cwd: "/", timeoutMs: 60_000 });
  const running = new Set<ServerByHand>();

  const byHand: ByHand = {
    async initialise(name) {
      const data = join(root, name);
      await tool("initdb", ...initdbArguments({ major, platform: process.platform, data, passwordFile }));
      return data;
    },
    async start(data) {
      const port = (await freePort()) ?? 0;
      const options = `-c listen_addresses='' -c unix_socket_directories=${root} -c port=${port} -c fsync=on`;
      await tool(
        "pg_ctl",
        "start",
        "--silent",
        "--wait",
        `--pgdata=${data}`,
        `--log=${data}.log`,
        `--options=${options}`,
      );
      const server: ServerByHand = {
        sockets: root,
        port,
        data,
        sql: async (text) =>
          (
            await tool(
              "psql",
              "-XAtq",
              "-v",
              "ON_ERROR_STOP=1",
              "-h",
              root,
              "-p",
              String(port),
              "-U",
              "postgres",
              "-c",
              text,
            )
          ).stdout.trim(),
        async remove() {
          running.delete(server);
          await tool("pg_ctl", "stop", "--silent", "--mode=immediate", `--pgdata=${data}`);
          await rm(data, { recursive: true, force: true });
        },
      };
      running.add(server);
      return server;
    },
    async copy(leader, name) {
      const data = join(root, name);
      const from = ["-h", leader.sockets, "-p", String(leader.port), "-U", "postgres"];
      await tool("pg_basebackup", ...from, "-D", data, "-X", "stream", "-c", "fast", "-R", "-C", "-S", name);
      return data;
    },
  };
  try {
    await chmod(root, 0o700);
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (user !== undefined) for (const path of [root, passwordFile]) await chown(path, user.uid, user.gid);
    return await work(byHand);
  } finally {
    for (const server of running) await server.remove().catch(() => undefined);
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Whether the leader says, within 20 s, that a replica streams. */
export async function streams(leader: ServerByHand): Promise<boolean> {
  const question = async () =>
    (await leader.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")) === "1" ? true : undefined;
  return (await ask(question, { everyMs: 5, withinMs: 20_000 })) === true;
}
