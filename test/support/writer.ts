/**
 * An app that writes and keeps a ledger, run by tests inside `perch run`: some clients, each inserting one row after
 * the other over a connection of its own and connecting again at once when it ends; every other client says BEGIN and
 * COMMIT. A line of the ledger is what a client was told: milliseconds since the epoch by a clock that never jumps,
 * client, number, and then `ok` with the server and timeline that took the row, or `query` or `connect` with what
 * failed. It ends at SIGTERM. Arguments: the ledger's path, the number of clients.
 */
import { createWriteStream } from "node:fs";
import pg from "pg";
import { pause } from "../../src/base/deadline.ts";

const [path = "", clients = "4"] = process.argv.slice(2);
const url = process.env["DATABASE_URL"] ?? "";
const ledger = createWriteStream(path, { flags: "a" });
/** A writer before this one has used smaller numbers. */
const first = Date.now() % 2_000_000_000;
let stopping = false;
process.on("SIGTERM", () => (stopping = true));

const note = (...words: readonly (string | number)[]): void =>
  void ledger.write(`${(performance.timeOrigin + performance.now()).toFixed(2)} ${words.join(" ")}\n`);

/** A SQLSTATE, the name of a socket's error, or words. */
function wordOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code: unknown = "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : error.message.replaceAll(/\s+/g, " ");
}

async function connection(name: number, n: number): Promise<pg.Client | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 15_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    note(name, n, "connect", wordOf(error));
    await pause(2);
    return undefined;
  }
}

const insert = "INSERT INTO ledger (client, n) VALUES ($1, $2) RETURNING server, timeline";

async function put(client: pg.Client, name: number, n: number): Promise<{ server: string; timeline: number }> {
  const whole = name % 2 === 1;
  if (whole) await client.query("BEGIN");
  const { rows } = await client.query<{ server: string; timeline: number }>(insert, [name, n]);
  if (whole && (await client.query("COMMIT")).command !== "COMMIT")
    throw new Error("COMMIT was answered with another word");
  return rows[0] ?? { server: "nobody", timeline: 0 };
}

async function write(name: number): Promise<void> {
  let client: pg.Client | undefined;
  for (let n = first; !stopping; n++) {
    client ??= await connection(name, n);
    if (client === undefined) continue;
    try {
      const { server, timeline } = await put(client, name, n);
      note(name, n, "ok", server, timeline);
      await pause(2);
    } catch (error) {
      note(name, n, "query", wordOf(error));
      client.end().catch(() => undefined);
      client = undefined;
    }
  }
  await client?.end();
}

await Promise.all(Array.from({ length: Number(clients) }, (_, name) => write(name)));
await new Promise((resolve) => ledger.end(resolve));
