import { readBytesBelow } from "../../host/files/below.ts";
import type { Layout } from "./directory.ts";

/**
 * What global/pg_control holds, which lies at the same place in PostgreSQL 15 to 18. `pg_controldata` shows the same,
 * where it is installed.
 */
export interface ControlFile {
  /** Equal for a leader and its replicas, and for nothing else. */
  systemIdentifier: bigint;
  state:
    | "starting"
    | "shut down"
    | "shut down in recovery"
    | "shutting down"
    | "in crash recovery"
    | "in archive recovery"
    | "in production"
    | "unknown";
  /** Of the last checkpoint: where it lies in the WAL, and on which timeline. */
  checkpoint: bigint;
  timeline: number;
  /** Up to where a replica has replayed, with the timeline of that; 0 of a server that led. */
  recovered: { position: bigint; timeline: number };
  /** What the leader last had of the settings in which a standby may not be lower: PostgreSQL refuses to start it. */
  floors: Record<string, number>;
}

/**
 * Those in which a standby may not have less than its leader. In the order of the file, from the 180th byte on in every
 * supported major.
 */
export const standbySettings = [
  "max_connections",
  "max_worker_processes",
  "max_wal_senders",
  "max_prepared_transactions",
  "max_locks_per_transaction",
];

const states: readonly ControlFile["state"][] = [
  "starting",
  "shut down",
  "shut down in recovery",
  "shutting down",
  "in crash recovery",
  "in archive recovery",
  "in production",
];

/** Of a server that runs or not; undefined when there is no data directory. Rejects with `file_strange`. */
export const readControlFile = (at: Layout): Promise<ControlFile | undefined> => readControlIn(at.data);

export async function readControlIn(data: string): Promise<ControlFile | undefined> {
  const bytes = await readBytesBelow(data, "global/pg_control", { atMost: 65_536 });
  return bytes === undefined || bytes.length < 200 ? undefined : parseControlFile(bytes);
}

/** Little-endian, as on every platform PostgreSQL's binaries come for. */
export function parseControlFile(bytes: Buffer): ControlFile {
  return {
    systemIdentifier: bytes.readBigUInt64LE(0),
    state: states[bytes.readUInt32LE(16)] ?? "unknown",
    checkpoint: bytes.readBigUInt64LE(32),
    timeline: bytes.readUInt32LE(48),
    recovered: { position: bytes.readBigUInt64LE(136), timeline: bytes.readUInt32LE(144) },
    floors: Object.fromEntries(standbySettings.map((name, index) => [name, bytes.readInt32LE(180 + 4 * index)])),
  };
}
