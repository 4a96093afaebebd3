import type { Socket } from "node:net";
import pg from "pg";
import { within } from "../../base/deadline.ts";
import { redact } from "../../base/redact.ts";
import { fail, PerchError } from "../../errors/error.ts";
import type { Member } from "../instance/directory.ts";
import { ownOptions } from "./session-options.ts";

/** One connection to a server, over its unix socket, for one caller at a time. Every wait has an end. */
export interface Session {
  readonly app: string;
  /** The rows. `timeoutMs` is 15 s unless told; what takes longer ends with its connection. */
  query<Row extends object>(text: string, values?: readonly unknown[], timeoutMs?: number): Promise<Row[]>;
  /** The same for what is asked over and over on one connection: PostgreSQL keeps its plan under that name. */
  queryAgain<Row extends object>(name: string, text: string): Promise<Row[]>;
  close(): Promise<void>;
  /** Resolves when the connection is gone, by us or by the server: the quickest news of an adopted server's death. */
  readonly ended: Promise<void>;
}

export interface Login {
  user: string;
  password: string;
  database?: string;
  /** For connecting. 5 s unless told. */
  timeoutMs?: number;
}

const patienceMs = 15_000;

/** Rejects with `sql_failed` (its cause is PostgreSQL's or the socket's error) or `disk_full`. */
export async function connect(member: Member, login: Login): Promise<Session> {
  const client = new pg.Client({
    host: member.layout.sockets,
    port: member.port,
    user: login.user,
    password: login.password,
    database: login.database ?? "postgres",
    application_name: "perch",
    connectionTimeoutMillis: login.timeoutMs ?? 5_000,
    options: ownOptions(member.major),
  });
  const ended = new Promise<void>((resolve) => client.once("end", resolve));
  client.on("error", () => undefined); // the query under way rejects with it, and `ended` resolves
  const wrap = (error: unknown): PerchError => sqlError(member, error);
  try {
    await client.connect();
  } catch (error) {
    throw wrap(error);
  }
  async function rowsOf<Row extends object>(asked: Promise<pg.QueryResult>, timeoutMs: number): Promise<Row[]> {
    const result = await within(timeoutMs, asked).catch((error: unknown) => Promise.reject(wrap(error)));
    const last: unknown = Array.isArray(result) ? result.at(-1) : result;
    if (last !== undefined) return (last as pg.QueryResult<Row>).rows;
    hangUp(client);
    throw fail("sql_failed", { app: member.app, why: `no answer within ${timeoutMs / 1000} s` });
  }
  return {
    app: member.app,
    ended,
    // Without values the simple protocol is used, which takes several statements, in one transaction.
    query: (text, values = [], timeoutMs = patienceMs) =>
      rowsOf(values.length === 0 ? client.query(text) : client.query(text, [...values]), timeoutMs),
    queryAgain: (name, text) => rowsOf(client.query({ name, text }), patienceMs),
    async close() {
      if (
        (await within(
          1_000,
          client.end().then(() => true),
        )) === undefined
      )
        hangUp(client);
    },
  };
}

/** node-postgres has no public way to drop a connection that does not answer. */
const hangUp = (client: pg.Client): void =>
  void (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();

/** Connects, does one thing, and closes. */
export async function withSession<T>(member: Member, login: Login, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await connect(member, login);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** All statements or none. */
export async function transaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.query("BEGIN");
  try {
    const result = await work();
    await session.query("COMMIT");
    return result;
  } catch (error) {
    await session.query("ROLLBACK").catch(() => undefined); // the connection may be what failed
    throw error;
  }
}

/** The SQLSTATE of an error of this room; undefined when it came from elsewhere. */
export function sqlState(thrown: unknown): string | undefined {
  const cause = thrown instanceof PerchError ? thrown.cause : thrown;
  return cause instanceof pg.DatabaseError ? cause.code : undefined;
}

function sqlError(member: Member, error: unknown): PerchError {
  const state = sqlState(error);
  if (state === "53100") return fail("disk_full", { path: member.layout.data }, error);
  const said = error instanceof Error ? redact(error.message) : String(error);
  return fail(
    "sql_failed",
    { app: member.app, why: state === undefined ? said : `${said} (SQLSTATE ${state})` },
    error,
  );
}
