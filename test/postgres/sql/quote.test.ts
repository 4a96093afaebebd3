import { expect, it } from "vitest";
import { quoteIdentifier, quoteLiteral } from "../../../src/postgres/sql/quote.ts";

it.each([
  ["web", '"web"'],
  ['we"ird', '"we""ird"'],
  ["", '""'],
  ['"; DROP TABLE x; --', '"""; DROP TABLE x; --"'],
])("the identifier %s is quoted", (name, quoted) => {
  expect(quoteIdentifier(name)).toBe(quoted);
});

it.each([
  ["plain", "'plain'"],
  ["it's", "'it''s'"],
  ["back\\slash's", " E'back\\\\slash''s'"],
])("the literal %s is quoted", (value, quoted) => {
  expect(quoteLiteral(value)).toBe(quoted);
});
