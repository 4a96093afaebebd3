/**
 * An app that never stops asking, run by tests inside `perch run`: every few milliseconds a query over a new
 * connection, one over a connection that stays, and a look-up of the name. At SIGTERM it prints what it counted; until
 * then a line now and then with how far it is.
 */
import { resolve6 } from "node:dns/promises";
import pg from "pg";
import { pause } from "../../src/base/deadline.ts";

const url = process.env["DATABASE_URL"] ?? "";
const { hostname } = new URL(url);
const counts = { fresh: 0, long: 0, names: 0 };
const failures: string[] = [];
let stopping = false;
process.on("SIGTERM", () => (stopping = true));

const attempt = async (kind: keyof typeof counts, work: () => Promise<unknown>): Promise<void> => {
  try {
    await work();
    counts[kind]++;
  } catch (error) {
    failures.push(`${new Date().toISOString()} ${kind}: ${error instanceof Error ? error.message : String(error)}`);
  }
};

async function fresh(): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  await client.connect();
  await client.query("SELECT 1");
  await client.end();
}

const long = new pg.Client({ connectionString: url });
long.on("error", () => undefined);
await long.connect();

const say = () => void process.stdout.write(`${JSON.stringify({ counts, failures })}\n`);
async function again(kind: keyof typeof counts, work: () => Promise<unknown>): Promise<void> {
  while (!stopping) {
    await attempt(kind, work);
    await pause(5);
  }
}
const reports = setInterval(say, 100);
await Promise.all([
  again("fresh", fresh),
  again("long", () => long.query("SELECT pg_backend_pid()")),
  again("names", () => resolve6(hostname)),
]);
clearInterval(reports);
await long.end().catch(() => undefined);
say();
