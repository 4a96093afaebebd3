import { describe, expect, it } from "vitest";
import { configText, knowsPreparedStatements, userText } from "../../src/pooler/config.ts";

const config = {
  address: "fdaa:1:2:1::20",
  port: 6432,
  target: { host: "fdaa:1:2:1::20", port: 5432 },
  mode: "transaction" as const,
  size: 20,
  version: "1.18.0",
  sockets: "/run/perch/x/pool/y",
  userFile: "/run/perch/x/postgres/pool/pg/leader/users.txt",
  tls: { key: "/k", certificate: "/c" },
};

describe("pgbouncer.ini", () => {
  it("leads to one server, and has roles looked up there by a role that may do nothing else", () => {
    const text = configText(config);
    expect(text).toContain("[databases]\n* = host=fdaa:1:2:1::20 port=5432 auth_user=perch_pooler\n");
    expect(text).toContain("auth_type = scram-sha-256\n");
    expect(text).toContain("auth_query = SELECT name, verifier FROM perch_pool.lookup($1)\n");
    expect(text).toContain("admin_users = perch_pooler\n");
  });
  it("drops nothing in silence that a client asks for at the start but what no client depends on", () => {
    expect(configText(config)).toContain("ignore_startup_parameters = extra_float_digits\n");
  });
  it.each([
    ["1.18.0", "transaction" as const, false],
    ["1.21.0", "transaction" as const, true],
    ["1.25.1", "session" as const, false],
    ["2.0.0", "transaction" as const, true],
  ])("of version %s in %s mode keeps prepared statements: %s", (version, mode, expected) => {
    expect(configText({ ...config, version, mode }).includes("max_prepared_statements")).toBe(expected);
  });
});

describe("knowsPreparedStatements", () => {
  it.each([
    ["1.20.1", false],
    ["1.21.0", true],
    ["1.9.0", false],
    ["2.0", true],
  ])("of %s is %s", (version, expected) => {
    expect(knowsPreparedStatements(version)).toBe(expected);
  });
});

describe("users.txt", () => {
  it("quotes as PgBouncer reads it", () => {
    expect(userText('a"b')).toBe('"perch_pooler" "a""b"\n');
  });
});
