/** Writers that run beside a fault, what they were told, and what that says about a time. */
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Perch } from "./ground.ts";
import { ended, node, runInside } from "./peers.ts";
import type { Way } from "./way.ts";

/** One line of writer.ts; times in milliseconds since the epoch. */
export interface Write {
  sent: number;
  /** Without it, the write or the connection failed. */
  acknowledged?: number;
  /** As it is in the table: number and way. */
  row: string;
}

export interface Writer {
  way: Way;
  writes: readonly Write[];
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL("writer.ts", import.meta.url));

export function startWriter(perch: Perch, way: Way, user: Record<string, string>): Writer {
  const child = runInside(perch, [...node, program, way.name, way.host, String(way.port)], {
    output: "pipe",
    env: user,
  });
  const writes: Write[] = [];
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on("line", (line) => writes.push(read(line, way.name)));
  return { way, writes, stop: () => ended(child) };
}

function read(line: string, way: string): Write {
  const [sent = "", acknowledged = "", n = ""] = line.split(" ");
  return {
    sent: Number(sent),
    row: `${n} ${way}`,
    ...(acknowledged === "failed" ? {} : { acknowledged: Number(acknowledged) }),
  };
}

/** What a writer met between two moments. Pure. */
export interface Met {
  /** The longest time without an acknowledged write, in milliseconds. */
  gap: number;
  /** The longest that one write took that was acknowledged, in milliseconds. */
  held: number;
  /** Writes and connections that failed. */
  failed: number;
}

export function met(writes: readonly Write[], from: number, until: number): Met {
  const inside = writes.filter(
    ({ sent, acknowledged }) => (acknowledged ?? sent) > from && (acknowledged ?? sent) < until,
  );
  const done = inside.flatMap(({ sent, acknowledged }) =>
    acknowledged === undefined ? [] : [{ at: acknowledged, took: acknowledged - sent }],
  );
  const moments = [from, ...done.map(({ at }) => at).toSorted((a, b) => a - b), until];
  return {
    gap: Math.max(...moments.slice(1).map((at, index) => at - (moments[index] ?? at))),
    held: Math.max(0, ...done.map(({ took }) => took)),
    failed: inside.length - done.length,
  };
}

export const now = (): number => performance.timeOrigin + performance.now();
