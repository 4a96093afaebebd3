import { expect, it } from "vitest";
import { defaultLimit } from "../../src/postgres/connection-limit.ts";

it("a role may have a third of what there is, and what its poolers may open; two logins of it leave room for others", () => {
  expect([defaultLimit(297), defaultLimit(7), defaultLimit(1)]).toEqual([99, 2, 1]);
  expect([defaultLimit(297, 20), defaultLimit(297, 100), defaultLimit(297, 1_000)]).toEqual([99, 200, 297]);
  for (const room of [3, 50, 97, 297, 5_000]) expect(2 * defaultLimit(room)).toBeLessThan(room);
});
