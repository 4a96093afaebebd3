import { createHash } from "node:crypto";
import { sealAuthorityKey } from "../../src/vault/authority-keys.ts";
import type { State } from "../../src/store/records.ts";
import { sealedSecret } from "../../src/vault/sealed-secret.ts";
import type { SecretKey } from "../../src/vault/secret-key.ts";
import { sealWireGuardKey } from "../../src/vault/wireguard-key.ts";

/**
 * One record of every kind, with every field it may have, as perchd of this version writes them. The compiler holds it
 * to that: a kind that is added is missing here. Everything is stopped, so that a perchd that starts on it has nothing
 * to run.
 */
type Kinds = Omit<State, "commit">;
type RecordOf<K extends keyof Kinds> = NonNullable<Awaited<ReturnType<Kinds[K]["get"]>>>;
export type Sample = { [K in keyof Kinds]: readonly Required<RecordOf<K>>[] };

/** What is sealed in it. They open nothing: they were made for this. */
export const sampleSecrets = {
  "web/API_KEY": 'a key of nobody, with "quotes" and ünïcode',
  "web/DATABASE_URL": "postgres://web:sample-password@pg.internal:5432/web",
  "pg/OPERATOR_PASSWORD": "sample-operator-password",
  "pg/SU_PASSWORD": "sample-superuser-password",
  "pg/REPL_PASSWORD": "sample-replication-password",
  "pg/POOL_PASSWORD": "sample-pool-password",
  wireguard: "c2FtcGxlIHdpcmVndWFyZCBrZXksIDMyIGJ5dGVzISE=",
  rotation: "sample-password-to-be",
  authority: "a key that signs nothing",
};

/** No perchd starts on it: it is read, and what is sealed opened. */
const sampleAuthority = "-----BEGIN CERTIFICATE-----\nc2FtcGxl\n-----END CERTIFICATE-----\n";

const at = "2026-01-02T03:04:05.678Z";
const prefix = "fdaa:3f9a:12bc";
const process = { pid: 4_000_000, startTime: "1" };
const limits = { total: 100, perSource: 40, perSecond: 20, failures: 10, failuresWithin: 60, shutFor: 300 };

export function sample(key: SecretKey): Sample {
  const secret = (app: string, name: string) => ({
    ...sealedSecret(key, app, name, sampleSecrets[`${app}/${name}` as keyof typeof sampleSecrets]),
    updatedAt: at,
  });
  const attachment = {
    app: "web",
    cluster: "pg",
    scheme: "postgres",
    pooled: true,
    phase: "ready",
    createdAt: at,
  } as const;
  const member = { app: "pg", kind: "postgres", phase: "ready", wanted: "stopped", process, createdAt: at } as const;
  return {
    network: [
      {
        name: "default",
        prefix,
        nextMachine: 18,
        wireguard: {
          publicKey: "c2FtcGxlIHB1YmxpYyBrZXk=",
          sealed: sealWireGuardKey(key, sampleSecrets.wireguard),
          port: 51_899,
          nextPeer: 2,
        },
        authority: {
          root: { certificate: sampleAuthority, sealed: sealAuthorityKey(key, "root", sampleSecrets.authority) },
          below: { certificate: sampleAuthority, sealed: sealAuthorityKey(key, "below", sampleSecrets.authority) },
          former: [{ certificate: sampleAuthority, cross: sampleAuthority }],
        },
        hostAccess: true,
        hostAccessPhase: "creating",
        createdAt: at,
      },
    ],
    apps: [
      { name: "pg", kind: "cluster", primaryRegion: "ams", createdAt: at },
      { name: "web", kind: "app", primaryRegion: "lhr", createdAt: at },
    ],
    clusters: [
      {
        app: "pg",
        phase: "ready",
        major: 18,
        binaries: "/usr/lib/postgresql/18/bin",
        leader: "m1",
        change: { kind: "switchover", to: "m2", because: "somebody asked for it", promote: true },
        pool: { mode: "transaction", preparedStatements: false, size: 20, address: `${prefix}:0:0:0:0:9` },
        poolBefore: { pool: { mode: "session", size: 10, address: `${prefix}:0:0:0:0:9` }, version: "1.18.0" },
        synchronous: { names: ["m2"], holders: ["m2"] },
        settings: { work_mem: "16MB" },
        settingsBefore: { settings: { work_mem: "8MB" }, refused: { machine: "m1", why: "FATAL: it said no" } },
        restarting: {
          done: ["m2"],
          floors: { max_connections: 300 },
          processes: { m1: { pid: 4_711, startTime: "1 2" } },
          leader: "m1",
          settings: { work_mem: "16MB" },
          inPlace: "somebody asked for it",
          refused: "m1",
        },
        exposure: {
          hostname: "db.example.com",
          listen: "127.0.0.1:54399",
          replicaListen: "127.0.0.1:54398",
          allow: ["203.0.113.0/24"],
          files: { certificate: "/nowhere/chain.pem", key: "/nowhere/key.pem" },
          allowSuperuser: false,
          superusers: ["postgres"],
          limits,
          phase: "creating",
          before: {
            hostname: "former.example.com",
            listen: "127.0.0.1:54393",
            allow: [],
            allowSuperuser: true,
            superusers: [],
            limits,
            createdAt: at,
          },
          createdAt: at,
        },
        portablePort: 54_397,
        createdAt: at,
      },
    ],
    machines: [
      { ...member, id: "m1", region: "ams", number: 16, address: `${prefix}:0:0:0:0:10`, portablePort: 54_396 },
      { ...member, id: "m2", region: "lhr", number: 17, address: `${prefix}:0:0:0:0:11`, portablePort: 54_395 },
    ],
    key: [{ id: key.id, stale: true }],
    secrets: [
      secret("web", "API_KEY"),
      secret("web", "DATABASE_URL"),
      ...["OPERATOR_PASSWORD", "SU_PASSWORD", "REPL_PASSWORD", "POOL_PASSWORD"].map((name) => secret("pg", name)),
    ],
    attachments: [
      {
        ...attachment,
        detaching: true,
        connectionLimit: 99,
        database: "web",
        user: "web",
        login: "web.2",
        variable: "DATABASE_URL",
        superuser: false,
        made: { database: true, user: true },
      },
      {
        ...attachment,
        database: "web",
        user: "admin",
        login: "admin.2",
        variable: "ADMIN_URL",
        superuser: true,
        connectionLimit: -1,
        detaching: true,
        made: { database: false, user: true },
      },
    ],
    rotations: [
      {
        cluster: "pg",
        user: "web",
        sealed: key.seal("pg/web", sampleSecrets.rotation),
        login: "web.3",
        until: at,
        sooner: true,
        by: "uid 1000 (ann)",
        createdAt: at,
      },
    ],
    formerLogins: [{ cluster: "pg", login: "web", user: "web", until: at, runs: ["r1"], createdAt: at }],
    peers: [
      {
        name: "laptop",
        publicKey: "c2FtcGxlIHBlZXI=",
        address: `${prefix}:0:0:1:0:1`,
        region: "fra",
        endpoint: "203.0.113.9:51820",
        phase: "destroying",
        createdAt: at,
      },
    ],
    remote: [{ listen: "127.0.0.1:54394", hostnames: ["perch.example.com"] }],
    tokens: [
      {
        name: "ci",
        scope: "deploy",
        app: "web",
        hash: createHash("sha256").update("no token hashes to this").digest("hex"),
        createdAt: at,
        expiresAt: "2126-01-02T03:04:05.678Z",
        lastUsedAt: at,
      },
    ],
  };
}
