import { expect, it } from "vitest";
import { fail } from "../../../src/errors/error.ts";
import { causeOf } from "../../../src/server/http/full-disk.ts";

it("an error of a server is one of a full disk only where the disk is full, and an error of the caller's never is", async () => {
  const refused = fail("sql_failed", { app: "pg", why: "could not write init file (SQLSTATE XX000)" });
  const room = { postgres: "/tmp" };
  const none = { postgres: "/proc" }; // has no byte to give away
  expect(await causeOf(room, refused)).toBe(refused);
  expect(await causeOf(none, refused)).toMatchObject({
    code: "disk_full",
    cause: refused,
    next: expect.stringContaining("init file") as string,
  });
  const own = fail("app_not_found", { app: "web" });
  expect(await causeOf(none, own)).toBe(own);
  expect(await causeOf({ postgres: "/nowhere" }, refused)).toBe(refused);
});
