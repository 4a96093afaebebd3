import { drizzle } from "drizzle-orm/node-postgres";
import { visits } from "./schema.js";

const db = drizzle(process.env.DATABASE_URL);
const [visit] = await db
  .insert(visits)
  .values({ region: process.env.FLY_REGION ?? null })
  .returning();
console.log(`visit ${visit.id} of ${await db.$count(visits)}, from ${visit.region}`);
await db.$client.end();
