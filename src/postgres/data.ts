import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Layout } from "./directory.ts";

/** The head of global/pg_control, which has been laid out alike since PostgreSQL 9.3. `pg_controldata` shows the same, where it is installed. */
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
}

const states: readonly ControlFile["state"][] = [
  "starting",
  "shut down",
  "shut down in recovery",
  "shutting down",
  "in crash recovery",
  "in archive recovery",
  "in production",
];

/** Of a server that runs or not; undefined when there is no data directory. */
export async function readControlFile(at: Layout): Promise<ControlFile | undefined> {
  const bytes = await readFile(join(at.data, "global", "pg_control")).catch(() => undefined);
  return bytes === undefined || bytes.length < 56 ? undefined : parseControlFile(bytes);
}

/** Little-endian, as on every platform PostgreSQL's binaries come for. */
export function parseControlFile(bytes: Buffer): ControlFile {
  return {
    systemIdentifier: bytes.readBigUInt64LE(0),
    state: states[bytes.readUInt32LE(16)] ?? "unknown",
    checkpoint: bytes.readBigUInt64LE(32),
    timeline: bytes.readUInt32LE(48),
  };
}
