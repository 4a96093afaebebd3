import { resolve } from "node:path";
import { fail } from "../../../errors/error.ts";
import { command } from "../../command.ts";
import { exposureText } from "../../output/exposure-text.ts";

export const postgresExpose = command({
  name: "postgres expose",
  summary: "Open a public door to a cluster: TLS from the client to PostgreSQL, and a password, or nothing",
  details:
    "It listens where --listen says and nowhere else. Without --cert the network's own authority certifies the name, and clients need its certificate: perch certs ca. With --cert every member serves that one, to apps inside, too; renewed files are served within seconds. Superusers are refused, and an address that gives too many wrong passwords is blocked for a while.",
  args: { cluster: { summary: "The cluster, where it is not given by -a", optional: true } },
  flags: {
    hostname: {
      type: "string",
      value: "NAME",
      summary: "The public name that clients connect to; point it at this host",
    },
    listen: {
      type: "string",
      value: "ADDRESS:PORT",
      summary: "Where on this host; 0.0.0.0 is every address it has",
    },
    replicaListen: { type: "string", value: "ADDRESS:PORT", summary: "A second port, which leads to replicas" },
    allow: { type: "strings", value: "CIDR", summary: "The addresses that may connect; may be repeated (default all)" },
    cert: { type: "string", value: "FILE", summary: "A certificate for that name with its chain, PEM" },
    key: { type: "string", value: "FILE", summary: "Its key, PEM" },
    acmeDir: {
      type: "string",
      value: "DIR",
      summary: "In their place: the directory that certbot, lego, Caddy or acme.sh keeps them in",
    },
    allowSuperuser: { type: "boolean", summary: "Superusers may connect through it, too" },
    maxConnections: {
      type: "integer",
      value: "COUNT",
      summary: "Maximum open connections in total (default 100)",
      min: 1,
      max: 100_000,
    },
    maxPerSource: {
      type: "integer",
      value: "COUNT",
      summary: "Maximum open connections of one address (default 40)",
      min: 1,
      max: 100_000,
    },
    maxRate: {
      type: "integer",
      value: "COUNT",
      summary: "Maximum new connections per second of one address (default 20)",
      min: 1,
      max: 100_000,
    },
    maxFailures: {
      type: "integer",
      value: "COUNT",
      summary: "Wrong passwords within a minute after which an address is blocked (default 10)",
      min: 1,
      max: 100_000,
    },
    shutFor: {
      type: "integer",
      value: "SECONDS",
      summary: "How long an address stays blocked (default 300)",
      min: 1,
      max: 100_000,
    },
  },
  examples: [
    "perch postgres expose -a pg --hostname db.example.com --listen 203.0.113.7:5432",
    "perch postgres expose -a pg --hostname db.example.com --listen 0.0.0.0:5432 --acme-dir /etc/letsencrypt",
    "perch postgres expose -a pg --hostname db.example.com --listen 203.0.113.7:5432 --replica-listen 203.0.113.7:5433 --allow 198.51.100.0/24",
  ],
  needs: ["json", "daemon", "cluster"],
  routes: ["expose"],
  async run({ cluster, flags, daemon }) {
    const { hostname, listen } = flags;
    if (hostname === undefined) throw fail("usage_invalid", { reason: "perch postgres expose: --hostname is missing" });
    if (listen === undefined)
      throw fail("usage_invalid", {
        reason: "perch postgres expose: --listen is missing; nothing is opened by default",
      });
    const paths = { certificate: flags.cert, key: flags.key, acmeDirectory: flags.acmeDir };
    const limits = {
      total: flags.maxConnections,
      perSource: flags.maxPerSource,
      perSecond: flags.maxRate,
      failures: flags.maxFailures,
      shutFor: flags.shutFor,
    };
    const body = {
      hostname,
      listen,
      allow: flags.allow,
      allowSuperuser: flags.allowSuperuser,
      ...(flags.replicaListen === undefined ? {} : { replicaListen: flags.replicaListen }),
      ...given(paths, (path) => resolve(path)),
      limits: given(limits, (limit) => limit),
    };
    const opened = await daemon.call("expose", { params: { cluster }, body });
    return { json: opened, text: exposureText(opened) };
  },
});

/** Those fields that have a value. */
const given = <T, K extends string>(fields: Record<K, T | undefined>, change: (value: T) => T): Partial<Record<K, T>> =>
  Object.fromEntries(
    Object.entries<T | undefined>(fields).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, change(value)]],
    ),
  ) as Partial<Record<K, T>>;
