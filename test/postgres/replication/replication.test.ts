import { expect, it } from "vitest";
import { connectionText, slotOf } from "../../../src/postgres/replication/replication.ts";

it("a replica's connection is quoted as libpq reads it and verifies whom it speaks to", () => {
  const text = connectionText({
    host: "fdaa::1",
    port: 5433,
    id: "148e",
    passFile: "/it's here/pass",
    authorityFile: "/back\\slash/ca.crt",
  });
  expect(text).toContain(
    "host='fdaa::1' port='5433' user='replicator' passfile='/it\\'s here/pass' application_name='148e' sslmode='verify-full'",
  );
  expect(text).toContain("sslrootcert='/back\\\\slash/ca.crt'");
});

it.each([
  ["148e123", "perch_148e123"],
  ["A-b.C", "perch_a_b_c"],
])("the slot of %s has letters that PostgreSQL allows", (machine, slot) => {
  expect(slotOf(machine)).toBe(slot);
});
