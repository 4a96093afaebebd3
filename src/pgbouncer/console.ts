import pg from "pg";
import { within } from "../base/deadline.ts";
import { redact } from "../base/redact.ts";
import { fail } from "../errors/error.ts";
import { poolUser } from "../postgres/instance/hba.ts";
import type { PoolMode } from "./config.ts";
import type { PoolLayout } from "./layout.ts";

/** PgBouncer's own console, over its unix socket. */
export interface PoolConsole {
  /** Rejects with `pooler_failed`, also when the answer takes longer than `withinMs`. */
  ask<Row extends object>(command: string, withinMs?: number): Promise<Row[]>;
  close(): Promise<void>;
  /** Resolves when the connection is gone: the quickest news of the pooler's death. */
  readonly ended: Promise<void>;
}

/** What runs there, by its own word: its files may have changed since it read them, and so may the program. */
export interface Running {
  /** Of PgBouncer, "1.18.0". */
  version: string;
  mode: PoolMode;
}

export async function describe(console: PoolConsole, withinMs?: number): Promise<Running> {
  const [said] = await console.ask<{ version: string }>("SHOW VERSION", withinMs);
  const settings = await console.ask<{ key: string; value: string }>("SHOW CONFIG", withinMs);
  const version = /PgBouncer (\S+)/.exec(said?.version ?? "")?.[1] ?? "";
  return {
    version,
    mode: settings.find(({ key }) => key === "pool_mode")?.value === "transaction" ? "transaction" : "session",
  };
}

/**
 * PgBouncer cannot be asked whether it is paused; told to go on, it says an error where it was not. Any other one is a
 * reason to tell it again.
 */
export async function resume(console: PoolConsole): Promise<void> {
  await console.ask("RESUME").catch((error: unknown) => {
    if (!(error instanceof Error && error.message.includes("not paused"))) throw error;
  });
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
    fail(
      "pooler_failed",
      { address: `port ${login.port}`, why: error instanceof Error ? redact(error.message) : String(error) },
      error,
    );
  await client.connect().catch((error: unknown) => Promise.reject(failed(error)));
  return {
    ended,
    async ask<Row extends object>(command: string, withinMs = 2_000) {
      const result = await within(withinMs, client.query<Row>(command)).catch((error: unknown) =>
        Promise.reject(failed(error)),
      );
      if (result === undefined) throw failed(new Error(`no answer to ${command} within ${withinMs} ms`));
      return result.rows;
    },
    close: async () => {
      await within(500, client.end());
    },
  };
}
