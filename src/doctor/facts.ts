/**
 * Why an app cannot connect: what is known, and what it means. The facts of this file are gathered in two places: the
 * daemon tells what it wants and what PostgreSQL says (`server/doctor.ts`), and a short-lived program goes the app's
 * own way from inside the network (`probe.ts`, a program; `probing.ts` runs it). `judge.ts` turns them into lines,
 * pure. The room knows nothing of records, loops or the API; it changes nothing.
 */
import type { Warning } from "../capacity/facts.ts";
import type { Admission } from "../postgres/sql/connect-privilege.ts";

/** The URL an app has, in parts. The password goes to the knock and nowhere else. */
export interface Target {
  user: string;
  password: string;
  host: string;
  port: number;
  database: string;
  /** As libpq has it: disable, prefer (where the URL is silent), require, verify-full … */
  sslmode: string;
  /** A file with the authority that the URL itself names. */
  sslrootcert?: string;
}

export type Refused = { error: string };

/** What the program inside met, as far as it came; each part is there if the one before it went well. */
export interface Knock {
  addresses?: readonly string[] | Refused;
  port?: { address: string } | Refused;
  /** "off": the URL wants none. "none": the server offers none. */
  tls?: { protocol: string; verified: boolean } | "off" | "none" | Refused;
  login?: { recovering: boolean; readOnly: boolean } | { state: string; error: string };
}

export interface MemberFacts {
  id: string;
  region: string;
  role: "leader" | "replica";
  address: string;
  /** started, streaming, stopped … as `perch status` has it. */
  state: string;
  lagBytes: number | null;
  note?: string | undefined;
}

export interface ClusterFacts {
  name: string;
  members: readonly MemberFacts[];
  /** Undefined while the leader cannot be asked. */
  admission: Admission | undefined;
  /** The role of the attachment is gone, whoever logs in for it. */
  roleless?: true;
}

export interface Attached {
  cluster: string;
  user: string;
  /** As whom the user logs in now. */
  login: string;
  database: string;
}

export interface Facts {
  daemon: { pid: number; version: string };
  app: string;
  variable: string;
  mode: "root" | "user" | "portable";
  /** As root: the system gives a command no user namespace of its own. */
  weak: boolean;
  /** "fdaa:3f9a:12bc". */
  prefix: string;
  /**
   * Undefined: there is no such secret. "not ours": it leads to no cluster of the app's, and the caller, who has a
   * token, is not told where it comes to.
   */
  target: Target | "not a URL" | "not ours" | undefined;
  attachment: Attached | undefined;
  /** Names of all clusters, for whoever is not attached yet. */
  clusters: readonly string[];
  /** That of the attachment, else the one whose name the URL has. */
  cluster: ClusterFacts | undefined;
  /** An error: the namespace itself could not be entered. */
  knock: Knock | Refused;
  disk: { path: string; freeBytes: number; bytes: number };
  /** What runs out of the network and of the cluster. */
  warnings: readonly Warning[];
}

/** What the leader said of the role and the database that the URL names. */
export interface Asked {
  admission: Admission;
  target: Target;
}

/** Where a packet passes, in that order. */
export type Check =
  | "daemon"
  | "namespace"
  | "url"
  | "name"
  | "address"
  | "port"
  | "tls"
  | "password"
  | "database"
  | "role"
  | "leader"
  | "connections"
  | "disk"
  | "lag"
  | Exclude<Warning["what"], "disk" | "connections">;

export interface Line {
  check: Check;
  /** warn: it works, yet somebody should look. */
  state: "ok" | "warn" | "fail";
  sentence: string;
  /** The command that fixes it. */
  next?: string;
}

export const refused = (part: unknown): part is Refused =>
  typeof part === "object" && part !== null && "error" in part && !("state" in part);

/** How the log-in ended, where it came so far. */
export const loginOf = ({ knock }: Facts): Knock["login"] => (refused(knock) ? undefined : knock.login);

/** Role, URL and all anew; the database stays. */
export function attachAgain({ app, variable }: Facts, { cluster, user, database }: Attached): string {
  const named = variable === "DATABASE_URL" ? "" : ` --variable-name ${variable}`;
  const again = `perch postgres detach ${cluster} --app ${app} && perch postgres attach ${cluster} --app ${app} --yes`;
  return `${again} --database-name ${database} --database-user ${user}${named}`;
}

/** Where the URL itself must change: what gives an attached app its own again. */
export const newUrl = ({ app, variable, attachment }: Facts): string =>
  attachment === undefined
    ? `perch secrets set -a ${app} ${variable}=postgres://…`
    : `perch postgres users rotate ${attachment.user} -a ${attachment.cluster}`;
