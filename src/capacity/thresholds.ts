import type { Reading, What } from "./facts.ts";

/** From how much of a thing on it is said that it runs out, and that it has. Pure. */
export interface Threshold {
  warn(limit: number): number;
  /** From here on something is refused; what never refuses has none. */
  fail?(limit: number): number;
  /** Why there. */
  because: string;
}

const mebibyte = 1024 * 1024;
const share = (part: number) => (limit: number) => limit * part;
const allBut = (bytes: number, part: number) => (limit: number) => limit - Math.min(bytes, limit * part);

export const thresholds: Readonly<Record<What, Threshold>> = {
  disk: {
    warn: allBut(1024 * mebibyte, 0.1),
    fail: allBut(64 * mebibyte, 0.01),
    because: "a tenth, or a gigabyte of a large disk, leaves time to act; the last 64 MB are four files of WAL",
  },
  inodes: { warn: share(0.9), fail: share(0.99), because: "a new database takes three hundred" },
  connections: { warn: share(0.8), fail: share(1), because: "one more instance of an app brings its whole pool" },
  "kept-wal": {
    warn: share(0.5),
    because: "at the limit the WAL is given up, and a replica that needs it must be copied again",
  },
  "idle-slot": { warn: (limit) => Math.min(64 * mebibyte, limit * 0.1), because: "what is not read only grows" },
  slots: { warn: share(0.8), because: "each replica takes one" },
  memory: { warn: share(0.9), because: "the kernel ends a server when there is none left" },
  "promised-memory": { warn: share(0.9), because: "what is promised may be asked for, by all at once" },
  "perchd-memory": { warn: share(0.75), because: "with ten clusters and a thousand names it takes less" },
  descriptors: {
    warn: share(0.8),
    fail: share(1),
    because: "without one no file is opened and no connection accepted",
  },
  wraparound: {
    warn: share(0.5),
    fail: (limit) => limit - 3_000_000,
    because: "autovacuum begins at a tenth and has not come through; with three million left PostgreSQL refuses writes",
  },
};

/**
 * It is over only when a quarter of what was missing is won back: what stands at the threshold is not said again and
 * again.
 */
const wonBack = 0.25;

/** Whether a reading is a warning; `before`: it was one. */
export function levelOf(
  { what, used, limit }: Pick<Reading, "what" | "used" | "limit">,
  before: boolean,
): "warn" | "fail" | undefined {
  const { warn, fail } = thresholds[what];
  const from = warn(limit);
  if (fail !== undefined && used >= fail(limit)) return "fail";
  return used >= (before ? from - Math.min(from, limit - from) * wonBack : from) ? "warn" : undefined;
}
