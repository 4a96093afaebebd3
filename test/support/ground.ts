import { chmodSync, mkdirSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll } from "vitest";
import { type Home, isRoot } from "../../src/host/system/home.ts";
import type { Place } from "../../src/host/process/place.ts";
import { freePort } from "../../src/host/sockets/ports.ts";
import { ensureServerUser } from "../../src/host/system/users.ts";
import { slotDatabase } from "../../src/postgres/instance/hba.ts";
import { type Binaries, findBinaries } from "../../src/postgres/instance/binaries.ts";
import { issueCertificate, makeAuthority } from "../../src/postgres/tls/certificate.ts";
import { certificateFiles, configure, writeCertificates } from "../../src/postgres/instance/configure.ts";
import { layout, makeDirectories, type Member } from "../../src/postgres/instance/directory.ts";
import { initialise } from "../../src/postgres/instance/initdb.ts";
import { connectionText, slotOf } from "../../src/postgres/replication/replication.ts";
import { bootstrap } from "../../src/postgres/sql/roles.ts";
import { start, stop } from "../../src/postgres/instance/server.ts";
import { serverSettings, slotSync } from "../../src/postgres/instance/settings.ts";
import { connect, type Session, withSession } from "../../src/postgres/sql/session.ts";

/**
 * Ground for real servers of one test file: a home below /tmp that PostgreSQL's user can enter (when root, servers run
 * as their own user, straight on the host). What was started on it is stopped and all of it removed when the file ends.
 */
export const passwords = {
  operator: "operator's pass:word\\1",
  superuser: "perch-secret-1",
  replication: "repl:i\\cator-1",
};
export const authority = await makeAuthority("Perch test");
/** All servers of a file serve the same one: making one is a program of its own, and a second of a busy machine. */
const served = await issueCertificate(authority, {
  commonName: "pg",
  names: ["localhost", "pg.internal"],
  addresses: ["127.0.0.1", "::1"],
});

const base = process.env["PERCH_TEST_DIR"] ?? tmpdir();
mkdirSync(base, { recursive: true });
const root = mkdtempSync(join(base, "perch-pg-"));
chmodSync(root, 0o711);
export const home: Home = {
  network: "default",
  base: root,
  root,
  id: "test",
  runtime: join(root, "run"),
  socket: "",
  daemonFile: "",
  pidFile: "",
  store: "",
  key: "",
  log: "",
  postgres: join(root, "home with 'spaces'", "postgres"),
};

const user = isRoot() ? await ensureServerUser() : undefined;
const become =
  user === undefined ? [] : ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", "--"];
export const place: Place = {
  mode: "portable",
  owner: user,
  tool: (argv) => [...argv],
  server: (argv) => [...become, ...argv],
  seen: (path) => path,
};

const toolsDirectory = join(home.postgres, "tools");

/** The majors that this host can test: what the system has, and the 18 from npm. */
export async function installed(): Promise<Binaries[]> {
  mkdirSync(toolsDirectory, { recursive: true });
  for (let at = toolsDirectory; at !== root; at = join(at, "..")) chmodSync(at, 0o755);
  const embedded = await findBinaries({ major: 18, toolsDirectory });
  const newest = await findBinaries({ toolsDirectory });
  return newest.major === embedded.major ? [embedded] : [newest, embedded];
}

const members: Member[] = [];

export async function newMember(binaries: Binaries, id: string): Promise<Member> {
  const name = `${id}${binaries.major}`;
  const port = (await freePort()) ?? 0;
  const member = {
    id: name,
    app: "pg",
    major: binaries.major,
    binaries: binaries.directory,
    port,
    layout: layout(home, name),
    place,
  };
  members.push(member);
  await makeDirectories(member);
  return member;
}

/** Writes the member's files: a leader's, or those of a replica of `leader`. */
export async function settle(
  member: Member,
  leader?: Member,
  userSettings: Record<string, string> = {},
): Promise<"reload" | "nothing"> {
  await writeCertificates(member, { ...served, authority: authority.certificate });
  return configure(member, {
    settings: settingsOf(member, leader, userSettings),
    networks: ["127.0.0.1/32", "::1/128"],
    slotSync: slotSync(member.major, userSettings),
    standby: leader !== undefined,
    replicationPassword: passwords.replication,
  });
}

export function settingsOf(
  member: Member,
  leader?: Member,
  userSettings: Record<string, string> = {},
): Record<string, string> {
  const at = member.layout;
  const to = leader && {
    host: "127.0.0.1",
    port: leader.port,
    id: member.id,
    passFile: at.pass,
    authorityFile: certificateFiles(at).authority,
    ...(slotSync(member.major, userSettings) ? { database: slotDatabase } : {}),
  };
  return serverSettings(
    {
      id: member.id,
      major: member.major,
      memoryBytes: 4 * 1024 ** 3,
      diskBytes: 50 * 1024 ** 3,
      listen: ["127.0.0.1"],
      port: member.port,
      socketDirectory: at.sockets,
      logDirectory: at.log,
      tlsDirectory: at.tls,
      ...(to === undefined ? {} : { follow: { connection: connectionText(to), slot: slotOf(member.id) } }),
    },
    userSettings,
  );
}

/** A new leader with its roles, running. */
export async function newLeader(binaries: Binaries, id: string): Promise<Member> {
  const member = await newMember(binaries, id);
  await initialise(member, { password: passwords.operator });
  await settle(member);
  await start(member);
  await withSession(member, { user: "postgres", password: passwords.operator }, (session) =>
    bootstrap(session, { superuser: passwords.superuser, replication: passwords.replication }),
  );
  return member;
}

/** A session of Perch's own superuser. */
export const asPerch = (member: Member, database = "postgres"): Promise<Session> =>
  connect(member, { user: "perch", password: passwords.superuser, database });

/** A session as an app has one: over the socket, with nothing pinned. Errors are node-postgres's own. */
export async function asApp(
  member: Member,
  login: { user: string; password: string; database?: string },
): Promise<
  Pick<Session, "ended" | "close"> & { query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]> }
> {
  const client = new pg.Client({ host: member.layout.sockets, port: member.port, database: "postgres", ...login });
  const ended = new Promise<void>((resolve) => client.once("end", resolve));
  client.on("error", () => undefined);
  await client.connect();
  const query = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> => {
    const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await client.query<Row>(
      text,
      ...(values.length === 0 ? [] : [values]),
    );
    return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? [];
  };
  return { query, ended, close: () => client.end() };
}

export const sql = async <Row extends object>(member: Member, text: string, values: unknown[] = []): Promise<Row[]> =>
  withSession(member, { user: "perch", password: passwords.superuser }, (session) => session.query<Row>(text, values));

afterAll(async () => {
  await Promise.all(members.map((member) => stop(member, "immediate")));
  await rm(root, { recursive: true, force: true, maxRetries: 3 });
});
