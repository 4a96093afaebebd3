import { expect, it } from "vitest";
import { defaultLimit } from "../../../src/postgres/sql/connection-limit.ts";

it("a role may have a third of what there is, and what its poolers may open; two logins of it leave room for others", () => {
  const server = (max: number, reserved = 3) => ({ max, free: max - reserved });
  expect([defaultLimit(server(300)), defaultLimit(server(10)), defaultLimit(server(4))]).toEqual([100, 3, 1]);
  expect([defaultLimit(server(300), 20), defaultLimit(server(300), 100), defaultLimit(server(300), 1_000)]).toEqual([
    100, 200, 297,
  ]);
  // Whatever part is reserved for others.
  for (const [max, reserved] of [
    [6, 3],
    [100, 3],
    [300, 3],
    [300, 200],
    [5_000, 10],
  ] as const)
    expect(2 * defaultLimit(server(max, reserved))).toBeLessThan(max - reserved);
});
