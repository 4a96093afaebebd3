/**
 * An app that writes and keeps a ledger, run by tests inside `perch run`: some clients, each inserting one row after the other over a connection of its own
 * and connecting again at once when it ends. What the database acknowledged is a line of the ledger: milliseconds since the epoch, client, number. At
 * SIGTERM it prints what failed. Arguments: the ledger's path, the number of clients.
 */
import { createWriteStream } from "node:fs";
import pg from "pg";
import { pause } from "../../src/base/deadline.ts";

const [path = "", clients = "4"] = process.argv.slice(2);
const url = process.env["DATABASE_URL"] ?? "";
const ledger = createWriteStream(path, { flags: "a" });
const failed = { connects: 0, queries: 0, words: {} as Record<string, number> };
/** A writer before this one has used smaller numbers. */
const first = Date.now() % 2_000_000_000;
let stopping = false;
process.on("SIGTERM", () => (stopping = true));

const note = (what: "connects" | "queries", error: unknown): void => {
  failed[what]++;
  const words = error instanceof Error ? error.message : String(error);
  failed.words[words] = (failed.words[words] ?? 0) + 1;
};

async function connection(): Promise<pg.Client | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 15_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    note("connects", error);
    await pause(2);
    return undefined;
  }
}

async function write(name: number): Promise<void> {
  let client: pg.Client | undefined;
  for (let n = first; !stopping; n++) {
    client ??= await connection();
    if (client === undefined) continue;
    try {
      await client.query("INSERT INTO ledger (client, n) VALUES ($1, $2)", [name, n]);
      ledger.write(`${(performance.timeOrigin + performance.now()).toFixed(2)} ${name} ${n}\n`);
      await pause(2);
    } catch (error) {
      note("queries", error);
      client.end().catch(() => undefined);
      client = undefined;
    }
  }
  await client?.end();
}

await Promise.all(Array.from({ length: Number(clients) }, (_, name) => write(name)));
await new Promise((resolve) => ledger.end(resolve));
process.stdout.write(`${JSON.stringify(failed)}\n`);
