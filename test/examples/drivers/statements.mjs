// Twenty clients with statements that have one name and differ: node-postgres prepares what has a name, at once.
import pg from "pg";

const told = { wrong: 0, errors: 0, right: 0 };
const name = process.argv[2] === "unnamed" ? {} : { name: "sum" };

async function work(k) {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  client.on("error", () => undefined);
  await client.connect();
  for (let i = 0; i < 100; i += 1) {
    const { rows } = await client
      .query({ ...name, text: `select $1::int + ${k} as sum`, values: [i] })
      .catch(() => ({ rows: undefined }));
    told[rows === undefined ? "errors" : rows[0].sum === i + k ? "right" : "wrong"] += 1;
  }
  await client.end();
}

await Promise.all(Array.from({ length: 20 }, (_, k) => work(k)));
process.stdout.write(`${JSON.stringify(told)}\n`);
