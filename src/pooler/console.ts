import pg from "pg";
import { within } from "../base/deadline.ts";
import { redact } from "../base/redact.ts";
import { fail } from "../errors/error.ts";
import { poolUser } from "../postgres/access.ts";
import type { PoolLayout } from "./pooler.ts";

/** PgBouncer's own console, over its unix socket. */
export interface PoolConsole {
  /** Rejects with `pooler_failed`, also when the answer takes longer than `withinMs`. */
  ask<Row extends object>(command: string, withinMs?: number): Promise<Row[]>;
  close(): Promise<void>;
  /** Resolves when the connection is gone: the quickest news of the pooler's death. */
  readonly ended: Promise<void>;
}

export async function openConsole(at: PoolLayout, login: { port: number; password: string }): Promise<PoolConsole> {
  const client = new pg.Client({
    host: at.sockets,
    port: login.port,
    user: poolUser,
    password: login.password,
    database: "pgbouncer",
    connectionTimeoutMillis: 1_000,
  });
  const ended = new Promise<void>((resolve) => client.once("end", resolve));
  client.on("error", () => undefined);
  const failed = (error: unknown) =>
    fail("pooler_failed", { address: `port ${login.port}`, why: error instanceof Error ? redact(error.message) : String(error) }, error);
  await client.connect().catch((error: unknown) => Promise.reject(failed(error)));
  return {
    ended,
    async ask<Row extends object>(command: string, withinMs = 2_000) {
      const result = await within(withinMs, client.query<Row>(command)).catch((error: unknown) => Promise.reject(failed(error)));
      if (result === undefined) throw failed(new Error(`no answer to ${command} within ${withinMs} ms`));
      return result.rows;
    },
    close: async () => {
      await within(500, client.end());
    },
  };
}
