/** Every route of perchd, in the order of the nouns. */
import { z } from "zod";
import { type Access, type Route, scopes } from "./route.ts";
import * as s from "./schemas.ts";

const route = <const R extends Route>(definition: R): R => definition;
const text = z.string();
const read = (app?: NonNullable<Access["app"]>): Access => ({ scope: "read", ...(app === undefined ? {} : { app }) });
const deploy = (app: NonNullable<Access["app"]>, ...adminFor: string[]): Access => ({ scope: "deploy", app, adminFor });
const admin = (app?: NonNullable<Access["app"]>): Access => ({ scope: "admin", ...(app === undefined ? {} : { app }) });
const list = <T extends z.ZodType>(item: T) => z.array(item);
/** -1: any number. */
const connectionLimit = z.int().min(-1).max(262_143).refine((limit) => limit !== 0, "it is none (-1) or at least 1");
/** Seconds; at most ten years. */
const overlap = z.int().min(0).max(315_360_000).optional();

export const routes = {
  status: route({ method: "GET", path: "/v1/status", kind: "plain", remote: read(), summary: "The network, the daemon, and every cluster with its members", answer: s.status }),
  shutdown: route({ method: "POST", path: "/v1/shutdown", kind: "stream", summary: "Stop every process and take the network away; data stays", answer: s.none }),
  events: route({
    method: "GET", path: "/v1/events", kind: "feed", remote: read("query.subject"), summary: "What Perch did and why, oldest first",
    query: z.object({ follow: z.stringbool().default(false), subject: text.optional(), last: z.coerce.number().int().min(0).max(10_000).default(100) }),
    answer: s.event,
  }),
  dig: route({
    method: "POST", path: "/v1/dig", kind: "plain", remote: read(), summary: "Ask the network's name server from inside the network",
    body: z.object({ name: text.min(1).max(253), type: z.enum(["AAAA", "A", "TXT", "PTR", "SOA", "NS", "ANY"]).default("AAAA"), region: text.optional(), tcp: z.boolean().default(false) }),
    answer: s.answer,
  }),
  proxy: route({
    method: "POST", path: "/v1/proxy", kind: "plain",
    summary: "Where a connection into the network would lead; with Upgrade: perch-proxy, the connection itself",
    query: z.object({ host: text.min(1).max(260), port: z.coerce.number().int().min(1).max(65_535).optional(), region: text.optional() }), answer: s.proxied,
  }),
  hostAccess: route({ method: "GET", path: "/v1/host-access", kind: "plain", summary: "Whether the host itself may reach the network", answer: s.hostAccess }),
  setHostAccess: route({ method: "PUT", path: "/v1/host-access", kind: "plain", summary: "Let the host itself reach the network, or no longer", body: z.object({ on: z.boolean() }), answer: s.hostAccess }),
  authority: route({ method: "GET", path: "/v1/certificates/authority", kind: "plain", remote: read("any"), summary: "The certificate authority of the network, PEM", answer: z.object({ pem: text }) }),

  rotateAuthority: route({
    method: "POST", path: "/v1/certificates/rotate", kind: "stream", summary: "Replace the authority that signs, and certify every server again",
    body: z.object({ root: z.boolean().default(false) }), answer: z.object({ pem: text, members: z.int() }),
  }),

  listApps: route({ method: "GET", path: "/v1/apps", kind: "plain", remote: read(), summary: "Apps and clusters", answer: list(s.app) }),
  createApp: route({ method: "POST", path: "/v1/apps", kind: "plain", remote: admin(), summary: "Create an app", body: z.object({ name: text, primaryRegion: text.optional() }), answer: s.app }),
  destroyApp: route({ method: "DELETE", path: "/v1/apps/:app", kind: "plain", remote: admin("params.app"), summary: "Destroy an app and its secrets", answer: s.none }),

  doctor: route({ method: "GET", path: "/v1/apps/:app/doctor", kind: "plain", remote: read("params.app"), summary: "Why an app cannot connect: a line for each place a packet passes", query: z.object({ variable: text.default("DATABASE_URL"), region: text.optional() }), answer: s.diagnosis }),

  listSecrets: route({ method: "GET", path: "/v1/apps/:app/secrets", kind: "plain", remote: read("params.app"), summary: "Names and digests of an app's secrets, never values", answer: list(s.secret) }),
  setSecrets: route({ method: "PUT", path: "/v1/apps/:app/secrets", kind: "plain", remote: deploy("params.app"), summary: "Set secrets, all or none", body: z.object({ secrets: z.record(text, text) }), answer: list(s.secret) }),
  unsetSecrets: route({ method: "POST", path: "/v1/apps/:app/secrets/unset", kind: "plain", remote: deploy("params.app"), summary: "Remove secrets; an unknown name is no error", body: z.object({ names: list(text).min(1).max(1000) }), answer: z.object({ removed: list(text) }) }),

  rekey: route({ method: "POST", path: "/v1/secrets/rekey", kind: "plain", summary: "Seal every value with a new key; the old one is gone", answer: z.object({ sealed: z.int(), key: text }) }),

  listClusters: route({ method: "GET", path: "/v1/clusters", kind: "plain", remote: read(), summary: "Clusters", answer: list(s.cluster) }),
  createCluster: route({
    method: "POST", path: "/v1/clusters", kind: "stream", remote: { ...admin(), machineFor: ["binaries"] }, summary: "Create a cluster: its leader, and replicas beside it",
    body: z.object({ name: text, region: text, size: z.int().min(1).max(9).default(1), password: text.optional(), version: z.int().optional(), binaries: text.optional() }),
    answer: s.created,
  }),
  showCluster: route({ method: "GET", path: "/v1/clusters/:cluster", kind: "plain", remote: read("params.cluster"), summary: "One cluster", answer: s.cluster }),
  destroyCluster: route({ method: "DELETE", path: "/v1/clusters/:cluster", kind: "stream", remote: admin("params.cluster"), summary: "Destroy a cluster with its data", query: z.object({ detach: z.stringbool().default(false) }), answer: s.none }),
  restartCluster: route({ method: "POST", path: "/v1/clusters/:cluster/restart", kind: "stream", remote: admin("params.cluster"), summary: "Restart every member, replicas first", answer: s.none }),
  failover: route({
    method: "POST", path: "/v1/clusters/:cluster/failover", kind: "stream", remote: admin("params.cluster"), summary: "Make another member the leader",
    body: z.object({ to: text.optional(), force: z.boolean().default(false), allowSecondaryRegion: z.boolean().default(false), promote: z.boolean().default(false), acceptLosses: z.boolean().default(false) }),
    answer: s.cluster,
  }),
  showPool: route({ method: "GET", path: "/v1/clusters/:cluster/pool", kind: "plain", remote: read("params.cluster"), summary: "The pooler of a cluster", answer: s.pool }),
  setPool: route({
    method: "PUT", path: "/v1/clusters/:cluster/pool", kind: "stream", remote: admin("params.cluster"), summary: "Put PgBouncer before a cluster, or change its mode and size",
    body: z.object({ mode: z.enum(["transaction", "session"]).optional(), preparedStatements: z.literal(false).optional(), size: z.int().min(1).max(1000).optional() }), answer: s.pool,
  }),
  removePool: route({ method: "DELETE", path: "/v1/clusters/:cluster/pool", kind: "stream", remote: admin("params.cluster"), summary: "Take the pooler of a cluster away", answer: s.pool }),
  setSynchronous: route({ method: "PUT", path: "/v1/clusters/:cluster/synchronous", kind: "stream", remote: admin("params.cluster"), summary: "Acknowledge a commit when a replica has it, too, or by the leader alone", body: z.object({ on: z.boolean() }), answer: s.cluster }),
  session: route({
    method: "POST", path: "/v1/clusters/:cluster/session", kind: "plain", summary: "How a client reaches the cluster",
    body: z.object({ user: text.default("postgres"), database: text.optional(), region: text.optional() }), answer: s.session,
  }),
  clusterLogs: route({
    method: "GET", path: "/v1/clusters/:cluster/logs", kind: "feed", remote: read("params.cluster"), summary: "PostgreSQL's log lines of every member",
    query: z.object({ follow: z.stringbool().default(false), machine: text.optional(), last: z.coerce.number().int().min(0).max(10_000).default(100) }), answer: s.logLine,
  }),

  listDatabases: route({ method: "GET", path: "/v1/clusters/:cluster/databases", kind: "plain", remote: read("params.cluster"), summary: "Databases of a cluster", answer: list(s.database) }),
  createDatabase: route({ method: "POST", path: "/v1/clusters/:cluster/databases", kind: "plain", remote: admin("params.cluster"), summary: "Create a database", body: z.object({ name: text, owner: text.optional() }), answer: s.database }),
  dropDatabase: route({ method: "DELETE", path: "/v1/clusters/:cluster/databases/:database", kind: "plain", remote: admin("params.cluster"), summary: "Drop a database; its connections end", answer: s.none }),
  listUsers: route({ method: "GET", path: "/v1/clusters/:cluster/users", kind: "plain", remote: read("params.cluster"), summary: "Roles that can log in", answer: list(s.user) }),
  createUser: route({ method: "POST", path: "/v1/clusters/:cluster/users", kind: "plain", remote: { ...admin("params.cluster"), machineForWhereOneUser: ["superuser"] }, summary: "Create a role; its password is shown once", body: z.object({ name: text, password: text.optional(), superuser: z.boolean().default(false) }), answer: s.credentials }),
  dropUser: route({ method: "DELETE", path: "/v1/clusters/:cluster/users/:user", kind: "plain", remote: admin("params.cluster"), summary: "Drop a role that owns nothing", answer: s.none }),
  rotateUser: route({ method: "POST", path: "/v1/clusters/:cluster/users/:user/rotate", kind: "plain", remote: admin("params.cluster"), summary: "Give a role a new password, and its attachment the new URL; the old one works a while longer", body: z.object({ password: text.optional(), overlap }), answer: s.rotated.extend({ password: text }) }),

  listSettings: route({ method: "GET", path: "/v1/clusters/:cluster/settings", kind: "plain", remote: read("params.cluster"), summary: "PostgreSQL settings: those changed, the named ones, or all", query: z.object({ names: text.optional(), all: z.stringbool().default(false) }), answer: list(s.setting) }),
  updateSettings: route({ method: "PATCH", path: "/v1/clusters/:cluster/settings", kind: "plain", remote: { ...admin("params.cluster"), settingsWhereOneUser: "set" }, summary: "Change settings on every member, checked against pg_settings", body: z.object({ set: z.record(text, text).default({}), unset: list(text).default([]) }), answer: s.settingsChange }),
  setBinaries: route({ method: "PUT", path: "/v1/clusters/:cluster/binaries", kind: "plain", summary: "Start a cluster's servers from another directory, of the same major version", body: z.object({ directory: text }), answer: s.binariesChange }),

  listAttachments: route({ method: "GET", path: "/v1/clusters/:cluster/attachments", kind: "plain", remote: read("params.cluster"), summary: "Apps attached to a cluster", answer: list(s.attachment) }),
  attach: route({
    method: "POST", path: "/v1/clusters/:cluster/attachments", kind: "stream", remote: { ...deploy("body.app", "superuser", "existingDatabase", "connectionLimit"), machineForWhereOneUser: ["superuser"], attachedOnly: true }, summary: "Give an app its own role and database, and the URL as a secret",
    body: z.object({
      app: text, database: text.optional(), user: text.optional(), variable: text.default("DATABASE_URL"), superuser: z.boolean().default(false),
      scheme: z.enum(["postgres", "postgresql"]).default("postgres"), existingDatabase: z.boolean().default(false), ifNotAttached: z.boolean().default(false),
      pooled: z.boolean().default(false), connectionLimit: connectionLimit.optional(),
    }),
    answer: s.attachment,
  }),
  limitAttachment: route({
    method: "PUT", path: "/v1/clusters/:cluster/attachments/limit", kind: "plain", remote: admin("params.cluster"), summary: "Change how many connections the role of an attached app may have",
    body: z.object({ app: text, variable: text.optional(), connectionLimit }), answer: s.limited,
  }),
  rotateAttachment: route({
    method: "POST", path: "/v1/clusters/:cluster/attachments/rotate", kind: "plain", remote: deploy("body.app"), summary: "Give an attached app a new password, in its URL; the old one works a while longer",
    body: z.object({ app: text, variable: text.optional(), overlap }), answer: s.rotated,
  }),
  detach: route({
    method: "POST", path: "/v1/clusters/:cluster/detach", kind: "stream", remote: deploy("body.app", "dropDatabase"), summary: "Take the role and the secret away; the database stays unless dropped",
    body: z.object({ app: text, variable: text.optional(), dropDatabase: z.boolean().default(false) }), answer: s.attachment,
  }),

  listExposures: route({ method: "GET", path: "/v1/exposures", kind: "plain", remote: read(), summary: "Public doors", answer: list(s.exposure) }),
  expose: route({
    method: "PUT", path: "/v1/clusters/:cluster/exposure", kind: "stream", summary: "Open a public door to a cluster, or change the one there is",
    body: z.object({
      hostname: text, listen: text, replicaListen: text.optional(), allow: list(text).max(1000).default([]), certificate: text.optional(), key: text.optional(), acmeDirectory: text.optional(),
      allowSuperuser: z.boolean().default(false), limits: s.doorLimits.partial().default({}),
    }),
    answer: s.exposure,
  }),
  unexpose: route({ method: "DELETE", path: "/v1/clusters/:cluster/exposure", kind: "stream", summary: "Shut the public door; connections through it end", answer: s.none }),

  listPeers: route({ method: "GET", path: "/v1/peers", kind: "plain", remote: read(), summary: "WireGuard peers, and when each was heard", answer: list(s.peer) }),
  createPeer: route({
    method: "POST", path: "/v1/peers", kind: "plain", summary: "Let a peer join by WireGuard; its private key stays where it was made",
    body: z.object({ name: text, publicKey: text.regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, "a key has 32 bytes in base64"), region: text.optional(), endpoint: text.optional() }), answer: s.newPeer,
  }),
  removePeer: route({ method: "DELETE", path: "/v1/peers/:peer", kind: "plain", remote: admin(), summary: "Remove a peer; its sessions end", answer: s.none }),

  listMachines: route({ method: "GET", path: "/v1/machines", kind: "plain", remote: read("query.app"), summary: "Machines: members of clusters and runs of apps", query: z.object({ app: text.optional() }), answer: list(s.machine) }),
  cloneMachine: route({ method: "POST", path: "/v1/machines/:machine/clone", kind: "stream", remote: admin("params.machine"), summary: "Make a streaming replica in a region", body: z.object({ region: text.optional() }), answer: s.machine }),
  startMachine: route({ method: "POST", path: "/v1/machines/:machine/start", kind: "stream", remote: admin("params.machine"), summary: "Start a member", answer: s.machine }),
  stopMachine: route({ method: "POST", path: "/v1/machines/:machine/stop", kind: "stream", remote: admin("params.machine"), summary: "Stop a member; it stays stopped", answer: s.machine }),
  destroyMachine: route({ method: "DELETE", path: "/v1/machines/:machine", kind: "stream", remote: admin("params.machine"), summary: "Destroy a replica, its slot and its data", answer: s.none }),

  createRun: route({ method: "POST", path: "/v1/runs", kind: "plain", summary: "Become a machine of an app, for as long as the calling process lives", body: z.object({ app: text.optional(), region: text.optional(), pid: z.int().positive() }), answer: s.run }),
  endRun: route({ method: "DELETE", path: "/v1/runs/:machine", kind: "plain", summary: "End a run", answer: s.none }),
  watchSecrets: route({ method: "GET", path: "/v1/apps/:app/secrets/changes", kind: "feed", remote: read("params.app"), summary: "One item each time the app's secrets change", answer: z.object({ revision: z.int() }) }),

  showRemote: route({ method: "GET", path: "/v1/remote", kind: "plain", remote: read(), summary: "Where the API listens for other hosts", answer: s.remote }),
  openRemote: route({ method: "PUT", path: "/v1/remote", kind: "plain", summary: "Let other hosts call the API, by TLS and a token", body: z.object({ listen: text, hostnames: list(text).max(20).default([]) }), answer: s.remote }),
  closeRemote: route({ method: "DELETE", path: "/v1/remote", kind: "plain", summary: "Let none any more; connections end, tokens stay", answer: s.remote }),
  listTokens: route({ method: "GET", path: "/v1/tokens", kind: "plain", remote: admin(), summary: "Tokens, never their texts", answer: list(s.token) }),
  createToken: route({ method: "POST", path: "/v1/tokens", kind: "plain", summary: "Make a token; its text is shown once", body: z.object({ name: text, scope: z.enum(scopes).default("read"), app: text.optional(), expiresAt: z.iso.datetime().optional() }), answer: s.token.extend({ token: text }) }),
  revokeToken: route({ method: "DELETE", path: "/v1/tokens/:token", kind: "plain", remote: admin(), summary: "Revoke a token, at once", answer: s.none }),
} as const;

export type RouteName = keyof typeof routes;
