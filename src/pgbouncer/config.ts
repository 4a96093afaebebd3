/**
 * PgBouncer, for a cluster that wants one: what its files say (pure), how one process is started, found, told and
 * ended. This room knows one pooler at a time; which ones there should be, and when they pause, the loop and the engine
 * know. Start here; `server.ts` runs what is written here, `console.ts` talks to it, `lookup.ts` is what it asks
 * PostgreSQL for.
 */

import { knowsPreparedStatements, safeMode } from "../model/pool.ts";
import type { Pool } from "../model/records.ts";
import { poolUser } from "../postgres/instance/hba.ts";

export type PoolMode = Pool["mode"];

export interface PoolConfig {
  /** Where it listens. */
  address: string;
  port: number;
  /** The server it leads to. */
  target: { host: string; port: number };
  /** As it was asked for; `safeMode` says which one it is. */
  mode: PoolMode;
  /** False: the clients were told to prepare no statements. */
  preparedStatements?: false;
  /** Connections to the server for each database and role. */
  size: number;
  /** PgBouncer's own version, "1.18.0". */
  version: string;
  /** Paths as PgBouncer sees them. */
  sockets: string;
  userFile: string;
  tls: { key: string; certificate: string };
}

/**
 * What drivers ask for at the start of a session and a shared connection cannot keep: it is accepted and without
 * effect, for no row read is another one by it (docs/pooling.md). Whatever changes what a statement means, such as
 * search_path, is refused. PgBouncer could track only what PostgreSQL reports, which is none of these.
 */
export const accepted: readonly string[] = [
  "extra_float_digits",
  "statement_timeout",
  "lock_timeout",
  "idle_in_transaction_session_timeout",
  "idle_session_timeout",
  "transaction_timeout",
  "jit",
];

/** pgbouncer.ini, whole. */
export function configText(config: PoolConfig): string {
  const mode = safeMode(config, config.version);
  const settings: Record<string, string | number> = {
    listen_addr: config.address,
    listen_port: config.port,
    unix_socket_dir: config.sockets,
    unix_socket_mode: "0700",
    auth_type: "scram-sha-256",
    auth_file: config.userFile,
    auth_query: "SELECT name, verifier FROM pg_catalog.perch_pool_lookup($1)",
    admin_users: poolUser,
    pool_mode: mode,
    default_pool_size: config.size,
    max_client_conn: 2_000,
    ignore_startup_parameters: accepted.join(","),
    ...(mode === "transaction" && knowsPreparedStatements(config.version) ? { max_prepared_statements: 200 } : {}),
    // While there is no leader the kernel keeps the connection attempt waiting; clients wait with it, and no longer
    // than they would anywhere.
    server_connect_timeout: 12,
    server_login_retry: 0.1,
    query_wait_timeout: 60,
    server_idle_timeout: 300,
    server_lifetime: 3_600,
    client_tls_sslmode: "allow",
    client_tls_key_file: config.tls.key,
    client_tls_cert_file: config.tls.certificate,
    server_tls_sslmode: "disable",
    tcp_keepalive: 1,
    tcp_keepidle: 60,
    tcp_keepintvl: 10,
    tcp_keepcnt: 6,
    log_connections: 0,
    log_disconnections: 0,
    log_stats: 0,
    // Clients are told; an app that tries again and again would fill the disk.
    log_pooler_errors: 0,
    stats_period: 60,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const { host, port } = config.target;
  return `; Written by Perch; changes are lost.
[databases]
* = host=${host} port=${port} auth_user=${poolUser}

[pgbouncer]
${lines.join("\n")}
`;
}

/** Its password stands here for PgBouncer alone, who runs as PostgreSQL's user: no other role's does. */
export const userText = (password: string): string => `"${poolUser}" "${password.replaceAll('"', '""')}"\n`;
