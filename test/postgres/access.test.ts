import { expect, it } from "vitest";
import { accessText } from "../../src/postgres/access.ts";

it("pg_hba.conf lets Perch in by the socket only, replication by TLS only, and everyone else from the network only", () => {
  const lines = accessText(["fdaa:1:2::/48"])
    .split("\n")
    .map((line) => line.trim().replace(/ +/g, " "));
  expect(lines).toEqual([
    "# Written by Perch; changes are lost.",
    "local replication replicator scram-sha-256",
    "local all replicator reject",
    "local all all scram-sha-256",
    "host all perch,replicator all reject",
    "hostssl replication replicator fdaa:1:2::/48 scram-sha-256",
    "host all all fdaa:1:2::/48 scram-sha-256",
    "",
  ]);
});
