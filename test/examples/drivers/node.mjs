/** node-postgres: one behaviour a run, told in lines of JSON. `node node.mjs BEHAVIOUR URL-PARAMETERS` */
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { from, to } from "pg-copy-streams";

const [behaviour, parameters] = process.argv.slice(2);

async function connect() {
  const client = new pg.Client(`${process.env.DATABASE_URL}?${parameters}`);
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

const value = async (client, sql) => (await client.query({ text: sql, rowMode: "array" })).rows[0][0];
const pidOf = (client) => value(client, "SELECT pg_backend_pid()");
const say = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);

const behaviours = {
  tls: async (client) =>
    value(
      client,
      "SELECT json_build_object('ssl', ssl, 'address', host(inet_server_addr())) FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    ),

  cancel: async (client) => {
    const [pid, other] = [await pidOf(client), await connect()];
    const query = new pg.Query("SELECT pg_sleep(60)");
    const ended = new Promise((resolve) => query.once("error", resolve));
    client.query(query);
    const sleeps = `FROM pg_stat_activity WHERE pid = ${pid} AND query = 'SELECT pg_sleep(60)' AND state = 'active'`;
    while (!(await value(other, `SELECT EXISTS (SELECT ${sleeps})`)));
    new pg.Client(`${process.env.DATABASE_URL}?${parameters}`).cancel(client, query);
    const { code } = await ended;
    await other.end();
    return { code, same: (await pidOf(client)) === pid };
  },

  copy: async (client) => {
    const lines = Array.from({ length: 10_000 }, (_, index) => `${index + 1}\tword \\t ü ${index + 1}\n`).join("");
    await client.query("CREATE TABLE copied_node (id int, word text)");
    await pipeline([lines], client.query(from("COPY copied_node FROM STDIN")));
    return { same: (await text(client.query(to("COPY (SELECT * FROM copied_node ORDER BY id) TO STDOUT")))) === lines };
  },

  listen: async (client) => {
    const other = await connect();
    const heard = new Promise((resolve) => client.once("notification", resolve));
    await client.query("LISTEN perch");
    await other.query("NOTIFY perch, 'ü'");
    const { payload, processId } = await heard;
    const told = { payload, sender: processId === (await pidOf(other)) };
    await other.end();
    return told;
  },

  prepared: async (client) => {
    const sums = [];
    for (const number of [1, 2, 3]) {
      const { rows } = await client.query({ name: "add", text: "SELECT $1::int + 1 AS sum", values: [number] });
      sums.push(rows[0].sum);
    }
    return {
      sums,
      runs: Number(await value(client, "SELECT generic_plans + custom_plans FROM pg_prepared_statements")),
    };
  },

  large: async (client) => {
    const { rows } = await client.query("SELECT repeat('x', 1024) AS kilobyte FROM generate_series(1, 51200)");
    return { bytes: rows.reduce((sum, { kilobyte }) => sum + kilobyte.length, 0) };
  },

  many: async (client) => {
    const others = await Promise.all(Array.from({ length: 99 }, connect));
    const seen = await value(
      client,
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = current_setting('application_name')",
    );
    await Promise.all(others.map((other) => other.end()));
    return { connections: Number(seen) };
  },

  idle: async (client) => {
    const asked = new Promise((resolve) => process.once("SIGTERM", resolve));
    const open = setInterval(() => undefined, 1_000);
    const before = await pidOf(client);
    say({ pid: before });
    await asked;
    clearInterval(open);
    return { same: (await pidOf(client)) === before };
  },

  reconnect: async (client) => {
    const before = await pidOf(client);
    say({ pid: before });
    const { code } = await client.query("SELECT pg_sleep(60)").catch((error) => error);
    let next;
    while (next === undefined) {
      next = await connect().catch(() => undefined);
      if (next === undefined) await pause(20);
    }
    const told = {
      code,
      other: (await pidOf(next)) !== before,
      replica: await value(next, "SELECT pg_is_in_recovery()"),
    };
    await next.end();
    return told;
  },
};

if (behaviour === "refused") {
  say(
    await connect().then(
      () => "connected",
      ({ message }) => ({ message }),
    ),
  );
  process.exit();
}
const client = await connect();
say(await behaviours[behaviour](client));
await client.end();
