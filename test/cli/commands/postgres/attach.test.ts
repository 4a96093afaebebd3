import { describe, expect, it } from "vitest";
import { attachedText } from "../../../../src/cli/commands/postgres/attach.ts";

const attachment = {
  app: "web",
  cluster: "pg",
  database: "web",
  user: "web",
  variable: "DATABASE_URL",
  superuser: false,
  connectionLimit: 99,
  url: "postgres://web:hunter%402@pg.internal:5432/web",
  preparedStatements: true,
  new: true,
};

describe("postgres attach", () => {
  it("keeps flyctl's sentences and never shows the password", () => {
    const text = attachedText(attachment);
    expect(text).toContain(
      "Postgres cluster pg is now attached to web\nThe following secret was added to web:\n  DATABASE_URL=postgres://web:***@pg.internal:5432/web\nIts role may have 99 connections at a time\n",
    );
    expect(text).not.toContain("hunter");
  });

  it("says so where nothing was to be done", () => {
    expect(attachedText({ ...attachment, new: false })).toBe(
      "Postgres cluster pg was attached to web already, as DATABASE_URL",
    );
  });

  it("repeats, also where nothing was to be done, that no client may prepare statements", () => {
    for (const isNew of [true, false])
      expect(attachedText({ ...attachment, preparedStatements: false, new: isNew })).toMatch(
        /No client may prepare .* perch postgres recipe CLIENT -a web$/,
      );
    expect(attachedText(attachment)).not.toContain("prepare");
  });
});
