/**
 * pg_hba.conf: who may connect from where. Perch's own superuser comes through the unix socket only, the replication
 * user for replication only, and all others from the private network, with a password. Pure.
 */

type Row = readonly [type: string, database: string, user: string, address: string, method: string];

/** The addresses of those who come by a public door. */
export interface DoorAccess {
  network: string;
  /** Roles that are refused there; undefined while no door was asked for: then all are. */
  refused: readonly string[] | undefined;
}

/**
 * `networks` are CIDRs: the network's /48, or 127.0.0.1/32 and ::1/128 in portable mode. The first line that fits
 * decides. `slotSync`: a replica asks its leader for its slots, in the database postgres. `trustSocket`: Perch's roles
 * are being put right.
 */
export function accessText(
  networks: readonly string[],
  door?: DoorAccess,
  slotSync = false,
  trustSocket = false,
): string {
  const rows: Row[] = [
    // Who comes to the socket is PostgreSQL's own user or root, and has the data anyway; still for a moment only
    // (`own-roles.ts`).
    ...(trustSocket ? [["local", "all", `postgres,${superuser}`, "", "trust"] as const] : []),
    ["local", "replication", replicationUser, "", "scram-sha-256"],
    ["local", "all", replicationUser, "", "reject"],
    ["local", "all", "all", "", "scram-sha-256"],
    ...(slotSync
      ? networks.map((network): Row => ["hostssl", slotDatabase, replicationUser, network, "scram-sha-256"])
      : []),
    ["host", "all", `${superuser},${replicationUser}`, "all", "reject"],
    ...(door === undefined ? [] : doorRows(door)),
    ...networks.flatMap((network): Row[] => [
      ["hostssl", "replication", replicationUser, network, "scram-sha-256"],
      ["host", "all", "all", network, "scram-sha-256"],
    ]),
  ];
  const width = [8, 12, 18, 24];
  const line = (row: readonly string[]): string => row.map((cell, column) => cell.padEnd(width[column] ?? 0)).join(" ");
  return `# Written by Perch; changes are lost.\n${rows.map(line).join("\n")}\n`;
}

/**
 * Over TLS and with a password, or not at all; nobody replicates. They stand there without a door, too, so that none is
 * ever open before its lines are.
 */
function doorRows({ network, refused }: DoorAccess): Row[] {
  // A line of the file cannot hold such a name: better nobody comes in than everybody.
  const open = refused !== undefined && !refused.some((role) => /[\r\n]/.test(role));
  const named = (role: string): string => `"${role.replaceAll('"', '""')}"`;
  return [
    // Nor does who may read the verifiers of passwords come from outside.
    ...(open ? [poolUser, ...refused].map((role): Row => ["host", "all", named(role), network, "reject"]) : []),
    ...(open ? [["hostssl", "all", "all", network, "scram-sha-256"] as const] : []),
    ["host", "replication", "all", network, "reject"],
    ["host", "all", "all", network, "reject"],
  ];
}

/** Perch's own. */
export const superuser = "perch";
export const replicationUser = "replicator";
/** Where a replica asks for its leader's slots. */
export const slotDatabase = "postgres";
/** As whom a pooler looks roles up, and nothing else. */
export const poolUser = "perch_pooler";
/**
 * Owns what detached apps left. It may do nothing, and nobody logs in as it: a superuser as owner would run their
 * functions as one.
 */
export const keeperUser = "perch_keeper";
