/**
 * pg_hba.conf: who may connect from where. Perch's own superuser comes through the unix socket only, the replication user for replication only, and all
 * others from the private network, with a password. Pure.
 */

/** `networks` are CIDRs: the network's /48, or 127.0.0.1/32 and ::1/128 in portable mode. The first line that fits decides. */
export function accessText(networks: readonly string[]): string {
  const rows: (readonly [type: string, database: string, user: string, address: string, method: string])[] = [
    ["local", "replication", replicationUser, "", "scram-sha-256"],
    ["local", "all", replicationUser, "", "reject"],
    ["local", "all", "all", "", "scram-sha-256"],
    ["host", "all", `${superuser},${replicationUser}`, "all", "reject"],
    ...networks.flatMap((network) => [
      ["hostssl", "replication", replicationUser, network, "scram-sha-256"] as const,
      ["host", "all", "all", network, "scram-sha-256"] as const,
    ]),
  ];
  const width = [8, 12, 18, 24];
  const line = (row: readonly string[]): string => row.map((cell, column) => cell.padEnd(width[column] ?? 0)).join(" ");
  return `# Written by Perch; changes are lost.\n${rows.map(line).join("\n")}\n`;
}

/** Perch's own. */
export const superuser = "perch";
export const replicationUser = "replicator";
