import { describe, expect, it } from "vitest";
import { accessText } from "../../../src/postgres/instance/hba.ts";

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

it("pg_hba.conf lets a replica ask for its leader's slots where it keeps them: over TLS, in one database, and before others are refused", () => {
  const before = accessText(["fdaa:1:2::/48"]).split("\n");
  const more = accessText(["fdaa:1:2::/48"], undefined, true)
    .split("\n")
    .filter((line) => !before.includes(line));
  expect(more.map((line) => line.trim().replace(/ +/g, " "))).toEqual([
    "hostssl postgres replicator fdaa:1:2::/48 scram-sha-256",
  ]);
});

describe("those who come by a public door", () => {
  const network = "fdaa:1:2:ffff::/64";
  const doorLines = (refused: readonly string[] | undefined) =>
    accessText(["fdaa:1:2::/48"], { network, refused })
      .split("\n")
      .map((line) => line.trim().replace(/ +/g, " "))
      .filter((line) => line.includes(network));

  it("are refused, all of them, before a door was asked for", () => {
    expect(doorLines(undefined)).toEqual([`host replication all ${network} reject`, `host all all ${network} reject`]);
  });

  it("need TLS and a password, are no superusers and do not replicate", () => {
    expect(doorLines(["postgres", 'my "root", all'])).toEqual([
      `host all "perch_pooler" ${network} reject`,
      `host all "postgres" ${network} reject`,
      `host all "my ""root"", all" ${network} reject`,
      `hostssl all all ${network} scram-sha-256`,
      `host replication all ${network} reject`,
      `host all all ${network} reject`,
    ]);
  });

  it("stand before the lines of the network, of which theirs is a part", () => {
    const text = accessText(["fdaa:1:2::/48"], { network, refused: [] });
    expect(text.lastIndexOf(network)).toBeLessThan(text.indexOf("fdaa:1:2::/48"));
  });

  it("are refused, all of them, when a superuser has a name that no line of the file can hold", () => {
    expect(doorLines(["postgres", "two\nlines"])).toEqual(doorLines(undefined));
  });
});
