import { describe, expect, it } from "vitest";
import { files, read } from "./files.ts";

/**
 * Who opens a session with PostgreSQL, and why its settings are as they are. Everything else goes through the first.
 */
const doors: Readonly<Record<string, string>> = {
  "src/postgres/sql/session.ts": "sessions of Perch's superusers: pinned",
  "src/pgbouncer/console.ts": "PgBouncer's own console, which is no database",
  "src/doctor/probe.ts": "goes an app's way, as the app's role, and so with what the app has set",
  "src/cli/quickstart/query.ts": "an app's program, as the app's role",
};

const sources = files(/^src\/.*\.ts$/).map((path) => ({ path, text: read(path) }));

describe("sessions with PostgreSQL", () => {
  it("are opened in few places, each with a reason", () => {
    const found = sources
      .filter(({ text }) => /^import (?!type).* from "pg"|import\("pg"\)/m.test(text))
      .map(({ path }) => path);
    expect(found.toSorted()).toEqual(Object.keys(doors).toSorted());
  });

  it("of Perch, and of each program of PostgreSQL that it runs, are pinned by session-options.ts", () => {
    const opens = sources.filter(({ text }) =>
      /command\([^)]*"(psql|pg_basebackup|pg_rewind|pg_dump|pg_dumpall|pg_restore|pg_amcheck|vacuumdb)"/.test(text),
    );
    const door = sources.filter(({ path }) => path === "src/postgres/sql/session.ts");
    expect(opens.length, "programs seen").toBeGreaterThan(1);
    expect(door.length).toBe(1);
    expect(
      [...opens, ...door].filter(({ text }) => !/from ".*session-options\.ts"/.test(text)).map(({ path }) => path),
    ).toEqual([]);
  });

  it("find no function of Perch's that runs with its owner's rights and without a search_path of its own, temporary objects last", () => {
    const functions = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/SECURITY DEFINER[^$]*\$/g)].map(([found]) => ({ path, found })),
    );
    expect(functions.length, "functions seen").toBeGreaterThan(0);
    expect(functions.filter(({ found }) => !found.includes("SET search_path = pg_catalog, pg_temp"))).toEqual([]);
  });
});
