import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import type { Place } from "../../../src/host/process/place.ts";
import type { Layout, Member } from "../../../src/postgres/instance/directory.ts";
import { choicesOf } from "../choices.ts";
import { randomOf } from "../random.ts";
import { listening, scratch } from "../sockets.ts";
import { built, type Target } from "../target.ts";

const inData = [
  "postmaster.pid",
  "perch.conf",
  "pg_hba.conf",
  "postgresql.conf",
  "postgresql.auto.conf",
  "standby.signal",
  "current_logfiles",
];
const inCluster = [
  "PG_VERSION",
  "global",
  "global/pg_control",
  "pg_wal",
  "pg_wal/00000002.history",
  "pg_tblspc",
  "pg_replslot",
];
/** In directories of PostgreSQL's user, who can put anything there. */
const places = [
  ...[...inData, ...inCluster].map((name) => `data/${name}`),
  "tls/server.crt",
  "tls/server.key",
  "tls/ca.crt",
  "log/start.log",
  "log/postgresql-1.json",
  "log/postgresql-2.log",
  "sockets/.s.PGSQL.5433.lock",
];
/** In perchd's own: that user can write into some of these, and put nothing else in their place. */
const contents = [
  "pass",
  ...["pgbouncer.ini", "users.txt", "server.crt", "server.key", "pid", "pgbouncer.log"].map((name) => `pool/${name}`),
];
const kinds = ["file", "link", "zero", "pipe", "socket", "directory", "long", "nowhere", "circle", "gone"] as const;

/**
 * Real files, of any kind, where PostgreSQL and PgBouncer have theirs. An input says what lies where; then perchd's own
 * functions look and write.
 */
export const strangeFiles: Target = {
  name: "strange-files",
  claim:
    "whatever lies where PostgreSQL and PgBouncer keep their files, perchd waits for none of it and follows no link, and what it writes there then says what it should",
  covers: [
    "host/files/below",
    ...["configure", "postmaster", "control-file", "logs", "log-bound", "tablespaces"].map(
      (part) => `postgres/instance/${part}`,
    ),
  ],
  seeds: Array.from({ length: 40 }, (_, index) => randomOf(index).bytes(40)),
  tokens: [
    "4242\n",
    "ready\n",
    '{"timestamp":"2026-11-24 06:32:36.123 UTC","message":"x"}\n',
    "include 'perch.conf'\n",
    "\0",
    "\n",
  ],
  longest: 400,
  needs: ["mkfifo"],
  runs: 60,
  async open() {
    const room = <T>(part: string) => built<T>(`postgres/${part}`);
    const [
      { configure, configurationDiffers, readCertificate },
      { find, readLock },
      { readControlFile },
      { lastLogLines },
      { boundLog },
    ] = await Promise.all([
      room<typeof import("../../../src/postgres/instance/configure.ts")>("instance/configure"),
      room<typeof import("../../../src/postgres/instance/postmaster.ts")>("instance/postmaster"),
      room<typeof import("../../../src/postgres/instance/control-file.ts")>("instance/control-file"),
      room<typeof import("../../../src/postgres/instance/logs.ts")>("instance/logs"),
      room<typeof import("../../../src/postgres/instance/log-bound.ts")>("instance/log-bound"),
    ]);
    const [{ tablespacesOutside }, { hasData }, pooler, { PerchError }] = await Promise.all([
      room<typeof import("../../../src/postgres/instance/tablespaces.ts")>("instance/tablespaces"),
      room<typeof import("../../../src/postgres/instance/directory.ts")>("instance/directory"),
      built<typeof import("../../../src/pgbouncer/server.ts")>("pgbouncer/server"),
      built<typeof import("../../../src/errors/error.ts")>("errors/error"),
    ]);
    const { path, remove } = scratch();
    const [root, secret, pipe, socket] = ["member", "secret.key", "pipe", "socket"].map((name) => join(path, name)) as [
      string,
      string,
      string,
      string,
    ];
    writeFileSync(secret, "of another's own", { mode: 0o600 });
    execFileSync("mkfifo", [pipe]);
    const { close } = await listening((one) => one.destroy(), socket);
    const at: Layout = {
      root,
      data: join(root, "data"),
      tls: join(root, "tls"),
      log: join(root, "log"),
      pass: join(root, "pass"),
      sockets: join(root, "sockets"),
    };
    const place: Place = {
      mode: "portable",
      owner: undefined,
      tool: (argv) => [...argv],
      server: (argv) => [...argv],
      seen: (name) => name,
    };
    const member: Member = { id: "m", app: "pg", major: 18, binaries: "/nowhere", port: 5433, layout: at, place };
    const wanted = {
      settings: { port: "5433" },
      networks: ["127.0.0.1/32"],
      standby: true,
      replicationPassword: "p:w",
    };
    const pool = { root: join(root, "pool"), sockets: join(root, "sockets") };
    const inPool = (name: string) => join(pool.root, name);
    const poolAt = {
      ...pool,
      config: inPool("pgbouncer.ini"),
      users: inPool("users.txt"),
      certificate: inPool("server.crt"),
      key: inPool("server.key"),
      log: inPool("pgbouncer.log"),
    };
    const poolConfig = {
      address: "127.0.0.1",
      port: 6432,
      target: { host: "127.0.0.1", port: 5433 },
      mode: "session" as const,
      size: 5,
    };

    const put: Record<(typeof kinds)[number], (name: string, content: Buffer) => void> = {
      file: (name, content) => writeFileSync(name, content),
      link: (name) => symlinkSync(secret, name),
      zero: (name) => symlinkSync("/dev/zero", name),
      pipe: (name) => linkSync(pipe, name),
      socket: (name) => linkSync(socket, name),
      directory: (name, content) => (mkdirSync(name), writeFileSync(join(name, "x"), content)),
      long: (name) => (writeFileSync(name, ""), truncateSync(name, 10 * 1024 ** 3)),
      nowhere: (name) => symlinkSync(join(path, "nothing"), name),
      circle: (name) => symlinkSync(name, name),
      gone: () => undefined,
    };
    /** What is said of it, or that it is strange; any other failure is a fault. */
    const told = <T>(looking: Promise<T>): Promise<T | string> =>
      looking.catch((error: unknown) => {
        if (error instanceof PerchError && error.code === "file_strange") return error.message;
        throw error;
      });

    return {
      async run(input) {
        rmSync(root, { recursive: true, force: true });
        for (const name of [
          "data/global",
          "data/pg_wal",
          "data/pg_tblspc",
          "data/pg_replslot",
          "tls",
          "log",
          "sockets",
          "pool",
        ])
          mkdirSync(join(root, name), { recursive: true });
        const choices = choicesOf(input);
        for (let count = 1 + choices.below(12); count > 0; count--) {
          const chosen = choices.pick([...places, ...contents]);
          const name = join(root, chosen);
          rmSync(name, { recursive: true, force: true });
          mkdirSync(dirname(name), { recursive: true });
          put[contents.includes(chosen) ? "file" : choices.pick(kinds)](name, choices.take(choices.below(64)));
        }
        const pooled = { at: poolAt, place, config: poolConfig, password: "p" };
        const seen = await Promise.all([
          ...[
            find(at),
            readLock(at.sockets, ".s.PGSQL.5433.lock"),
            readControlFile(at),
            hasData(at),
            tablespacesOutside(at),
          ].map(told<unknown>),
          ...[lastLogLines(at.log, 10), boundLog(at), readCertificate(at), configurationDiffers(member, wanted)].map(
            told<unknown>,
          ),
          ...[
            pooler.findPoolerProcess(poolAt),
            pooler.poolerIsCurrent(pooled, "1.21.0"),
            pooler.poolerCertificate(poolAt),
          ].map(told<unknown>),
        ]);
        const written = await told(configure(member, wanted));
        assert.doesNotMatch(inspect([seen, written], { depth: 9 }), /of another's own/);
        assert.equal(readFileSync(secret, "utf8"), "of another's own");
        if (written === "reload" || written === "nothing")
          assert.equal(await configurationDiffers(member, wanted), false);
        else assert.match(written, /data|global/);
      },
      async close() {
        await close();
        remove();
        return {};
      },
    };
  },
};
