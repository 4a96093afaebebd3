import { pgTable, serial, text } from "drizzle-orm/pg-core";

export const visits = pgTable("visits", {
  id: serial().primaryKey(),
  region: text(),
});
