import { expect, it } from "vitest";
import { usersText } from "../../../src/cli/commands/postgres/users/list.ts";
import { rotatedText } from "../../../src/cli/output/rotation-text.ts";

const until = "2026-11-25T12:00:00.000Z";
const rotated = { user: "web", login: "web.2", apps: ["web"], former: { login: "web", until, sooner: true } };

it("a rotation says as whom the new password logs in, whose URL has changed and how long the old one works", () => {
  expect(rotatedText(rotated).split("\n")).toEqual([
    "It logs in as web.2, which works as web",
    "Its new URL is set as a secret of: web",
    "The old password, that of web, works until web has restarted, at most until 2026-11-25 12:00:00 UTC",
  ]);
  expect(
    rotatedText({ ...rotated, login: "web", former: { login: "web.2", until, sooner: false } }).split("\n"),
  ).toEqual([
    "Its new URL is set as a secret of: web",
    "The old password, that of web.2, works until 2026-11-25 12:00:00 UTC",
  ]);
});

it("a rotation of a user without an attachment says that the old password is gone", () => {
  expect(rotatedText({ user: "reader", login: "reader", apps: [], former: null })).toBe(
    "The old password is worth nothing from now on; sessions that are open go on",
  );
});

it("the list of users has a line for each login, with whom it works as and until when", () => {
  const user = { superuser: false, databases: ["web"], worksAs: null, until: null };
  const users = [
    { ...user, name: "web", until: "2026-11-25T12:00:00Z" },
    { ...user, name: "web.2", worksAs: "web" },
    { ...user, name: "web.3", worksAs: "web", until: "2026-11-23T12:00:00Z" },
  ];
  expect(usersText(users, Date.parse("2026-11-24T12:00:00Z")).split("\n")).toEqual([
    "NAME   WORKS AS  SUPERUSER  PASSWORD                       DATABASES",
    "web    web       no         until 2026-11-25 12:00:00 UTC  web",
    "web.2  web       no                                        web",
    "web.3  web       no         ended                          web",
  ]);
});
