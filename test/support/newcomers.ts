/**
 * An app whose clients connect anew for each query, run by tests inside `perch run`: several at once, over the URL it
 * was started with. Every 50 ms it prints a line of JSON with how far it is: how many queries were answered, to whom,
 * and what failed when. It ends at SIGTERM. Arguments: the variable that holds the URL, the number of clients.
 */
import pg from "pg";
import { pause } from "../../src/base/deadline.ts";

const [variable = "DATABASE_URL", clients = "4"] = process.argv.slice(2);
const connectionString = process.env[variable] ?? "";
const report = { answered: 0, users: [] as string[], failures: [] as { at: number; word: string }[] };
let stopping = false;
process.on("SIGTERM", () => (stopping = true));

async function ask(): Promise<string> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ who: string }>("SELECT session_user || ' as ' || current_user AS who");
    return rows[0]?.who ?? "nobody";
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function again(): Promise<void> {
  while (!stopping) {
    try {
      const who = await ask();
      report.answered++;
      if (!report.users.includes(who)) report.users.push(who);
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      report.failures.push({ at: Date.now(), word: code ?? message });
    }
    await pause(2);
  }
}

const say = () => void process.stdout.write(`${JSON.stringify(report)}\n`);
const reports = setInterval(say, 50);
await Promise.all(Array.from({ length: Number(clients) }, again));
clearInterval(reports);
say();
