/**
 * An app with one connection that writes a row every 5 ms, and connects again at once when the connection ends; run
 * inside `perch run`. It prints a line for every row: when it was sent and when it was acknowledged, in milliseconds
 * since the epoch, and its number; "failed" in place of the second when it was not, and in place of the third when
 * there was no connection. Arguments: the name of the way, its host, its port.
 */
import pg from "pg";
import { pause } from "../src/base/deadline.ts";

const [name = "", host = "", port = "5432"] = process.argv.slice(2);
const now = (): number => performance.timeOrigin + performance.now();
const say = (...words: (string | number)[]): void => void process.stdout.write(`${words.join(" ")}\n`);
const everyMs = 5;

async function connected(): Promise<pg.Client | undefined> {
  // The user, the password and the database are in PGUSER, PGPASSWORD and PGDATABASE.
  const client = new pg.Client({ host, port: Number(port), connectionTimeoutMillis: 30_000 });
  client.on("error", () => undefined);
  const from = now();
  try {
    await client.connect();
    return client;
  } catch {
    say(from.toFixed(2), "failed", "connect");
    await pause(1);
    return undefined;
  }
}

let stopping = false;
process.on("SIGTERM", () => (stopping = true));
let client: pg.Client | undefined;
for (let n = 1; !stopping; n++) {
  client ??= await connected();
  if (client === undefined) continue;
  const from = now();
  try {
    await client.query("INSERT INTO writes (way, n) VALUES ($1, $2)", [name, n]);
    say(from.toFixed(2), now().toFixed(2), n);
    await pause(Math.max(0, from + everyMs - now()));
  } catch {
    say(from.toFixed(2), "failed", n);
    client.end().catch(() => undefined);
    client = undefined;
  }
}
await client?.end();
