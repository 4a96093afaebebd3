import { describe, expect, it } from "vitest";
import { ruleOf } from "../../src/daemon/modes.ts";

const asRoot = { own: 0, server: 70 };
const asUser = { own: 1000, server: 1000 };
const id = "0123456789abcd";

describe("what may be whose in a home", () => {
  it("lets PostgreSQL's user walk to what is his, and list nothing of perchd's", () => {
    for (const path of ["", "postgres", `postgres/${id}`, "postgres/pool/pg/pg-leader"])
      expect(ruleOf("home", path, asRoot)).toEqual({ kind: "directory", mode: 0o711, owners: [0] });
    for (const path of [`postgres/${id}/data`, `postgres/${id}/log`, `postgres/${id}/tls`])
      expect(ruleOf("home", path, asRoot)).toEqual({ kind: "directory", mode: 0o700, owners: [70] });
  });

  it("knows the user of an older Perch while anything is that one's", () => {
    const both = { ...asRoot, former: 101 };
    expect(ruleOf("home", `postgres/${id}/data`, both)).toEqual({ kind: "directory", mode: 0o700, owners: [70, 101] });
    expect(ruleOf("home", `postgres/${id}/log/1.json`, both)).toMatchObject({ owners: [0, 70, 101] });
    expect(ruleOf("home", "perch.db", both)).toMatchObject({ owners: [0] });
    expect(ruleOf("runtime", `pg/${id}`, both)).toEqual({ kind: "directory", mode: 0o700, owners: [70, 101] });
  });

  it("shuts every directory where perchd is an ordinary user", () => {
    for (const path of ["", "postgres", `postgres/${id}`, `postgres/${id}/data`, "ca", "logins"])
      expect(ruleOf("home", path, asUser)).toEqual({ kind: "directory", mode: 0o700, owners: [1000] });
    expect(ruleOf("runtime", "", asUser)).toMatchObject({ mode: 0o700 });
  });

  it("shuts every file with a secret or data to all but its owner", () => {
    for (const path of [
      "perch.db",
      "perch.db-wal",
      "secret.key",
      "secret.key.next",
      "ca/ca.key",
      "ca/perchd.key",
      "logins/db.example.com_6643.json",
    ])
      expect(ruleOf("home", path, asRoot)).toEqual({ kind: "file", mode: 0o600, owners: [0] });
    for (const path of [`postgres/${id}/pass`, `postgres/${id}/tls/server.key`, "postgres/pool/pg/pg-leader/users.txt"])
      expect(ruleOf("home", path, asRoot)).toEqual({ kind: "file", mode: 0o600, owners: [70] });
  });

  it("shows others certificates, programs, and what a run finds at /etc", () => {
    expect(ruleOf("home", "ca/ca.crt", asRoot)).toMatchObject({ mode: 0o644 });
    expect(ruleOf("home", "postgres/tools", asRoot)).toMatchObject({ mode: 0o755 });
    expect(ruleOf("runtime", `runs/${id}/resolv.conf`, asRoot)).toMatchObject({ mode: 0o644 });
  });

  it("has no word on what is none of Perch's", () => {
    for (const path of ["notes.txt", "postgres/notes", "ca/notes.txt"])
      expect(ruleOf("home", path, asRoot)).toBeUndefined();
  });
});
