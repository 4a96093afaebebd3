/**
 * What a user would put in front of PostgreSQL without Perch: HAProxy and PgBouncer as Debian has them, and a relay of
 * thirty lines; all inside `perch run`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ask } from "../src/base/deadline.ts";
import { findProgram } from "../src/host/files/files.ts";
import { isRoot } from "../src/host/system/home.ts";
import { ensureServerUser } from "../src/host/system/users.ts";
import type { Perch } from "./ground.ts";
import { type Answers, names, type Peer, type Way } from "./way.ts";

/** The leader behind them. */
export interface Target {
  address: string;
  port: number;
  /** The directory of its certificate, which PgBouncer shows, too: libpq prefers TLS, and all ways shall have it. */
  tls: string;
  user: string;
  password: string;
}

export async function startHaproxy(perch: Perch, { address, port }: Target, answers: Answers): Promise<Peer | string> {
  const program = await findProgram("haproxy");
  if (program === undefined) return "it is not installed (apt-get install haproxy)";
  const way = { name: names.haproxy, host: "::1", port: 5440 };
  const timeouts = ["connect", "client", "server"].map((side) => `  timeout ${side} 60s`);
  const text = [
    "defaults",
    "  mode tcp",
    ...timeouts,
    "listen pg",
    `  bind [::1]:${way.port}`,
    `  server leader [${address}]:${port}`,
  ];
  const file = join(perch.home.root, "haproxy.cfg");
  await writeFile(file, `${text.join("\n")}\n`);
  return startPeer(perch, way, [program, "-db", "-f", file], answers);
}

/**
 * In transaction mode, with SCRAM and TLS at both sides. It refuses to be root, and reads its files after it became
 * somebody else.
 */
export async function startPgbouncer(perch: Perch, target: Target, answers: Answers): Promise<Peer | string> {
  const program = await findProgram("pgbouncer");
  if (program === undefined) return "it is not installed (apt-get install pgbouncer)";
  const way = { name: names.pgbouncer, host: "::1", port: 5441 };
  const user = isRoot() ? await ensureServerUser() : undefined;
  const directory = await mkdtemp(join(tmpdir(), "perch-bench-pgbouncer-"));
  const [settings, users] = [join(directory, "pgbouncer.ini"), join(directory, "users.txt")];
  const text = [
    "[databases]",
    `* = host=${target.address} port=${target.port}`,
    "[pgbouncer]",
    `listen_addr = ${way.host}`,
    `listen_port = ${way.port}`,
    "unix_socket_dir =",
    "auth_type = scram-sha-256",
    `auth_file = ${users}`,
    "pool_mode = transaction",
    "default_pool_size = 20",
    "max_client_conn = 1000",
    "client_tls_sslmode = allow",
    `client_tls_cert_file = ${target.tls}/server.crt`,
    `client_tls_key_file = ${target.tls}/server.key`,
    "server_tls_sslmode = prefer",
    ...(user === undefined ? [] : ["user = postgres"]),
  ];
  await writeFile(settings, `${text.join("\n")}\n`);
  await writeFile(users, `"${target.user}" "${target.password}"\n`, { mode: 0o600 });
  await chmod(directory, 0o700);
  if (user !== undefined) for (const path of [directory, settings, users]) await chown(path, user.uid, user.gid);
  const remove = () => rm(directory, { recursive: true, force: true });
  const peer = await startPeer(perch, way, [program, "-q", settings], answers);
  if (typeof peer !== "string") return { way, stop: () => peer.stop().then(remove) };
  await remove();
  return peer;
}

export function startNodeRelay(perch: Perch, { address, port }: Target, answers: Answers): Promise<Peer | string> {
  const way = { name: names.relay, host: "::1", port: 5442 };
  const program = fileURLToPath(new URL("node-relay.ts", import.meta.url));
  return startPeer(perch, way, [...node, program, way.host, String(way.port), address, String(port)], answers);
}

/** argv that runs a TypeScript file of this folder, wherever it is run. */
export const node = [process.execPath, "--import", import.meta.resolve("tsx")];

async function startPeer(perch: Perch, way: Way, argv: readonly string[], answers: Answers): Promise<Peer | string> {
  const child = runInside(perch, argv, { output: "ignore" });
  const stop = () => ended(child);
  const ready = async () => (child.exitCode === null ? answers(way) : false);
  if ((await ask(ready, { everyMs: 50, withinMs: 10_000 })) === true) return { way, stop };
  await stop();
  return child.exitCode === null || child.exitCode === 0
    ? "it does not answer"
    : `it ended with exit code ${child.exitCode}`;
}

/** A program that runs beside the bench, as the app `web`. */
export function runInside(
  perch: Perch,
  argv: readonly string[],
  how: { output: "ignore" | "pipe"; env?: Record<string, string> },
): ChildProcess {
  const [command = "", ...args] = perch.argv(["run", "-a", "web", "--", ...argv]);
  const env = { ...process.env, ...how.env, PERCH_HOME: perch.home.root };
  return spawn(command, args, { stdio: ["ignore", how.output, "ignore"], env, cwd: perch.home.root });
}

export function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}
