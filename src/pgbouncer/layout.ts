import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Home } from "../host/system/home.ts";

/** Where the files of one pooler lie, as perchd sees them. */
export interface PoolLayout {
  root: string;
  config: string;
  users: string;
  certificate: string;
  key: string;
  log: string;
  /** The directory of its console's socket. */
  sockets: string;
}

/** `id`: a machine's, for the pooler of a member; the cluster's pool number, for the one that leads to the leader. */
export function poolLayout(home: Home, app: string, id: string): PoolLayout {
  const root = join(home.postgres, "pool", app, id);
  return {
    root,
    config: join(root, "pgbouncer.ini"),
    users: join(root, "users.txt"),
    certificate: join(root, "server.crt"),
    key: join(root, "server.key"),
    log: join(root, "pgbouncer.log"),
    // Short: a socket's path may have 107 bytes.
    sockets: join(home.runtime, "pool", createHash("sha256").update(`${app}/${id}`).digest("hex").slice(0, 12)),
  };
}
