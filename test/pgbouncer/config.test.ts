import { describe, expect, it } from "vitest";
import { accepted, configText, userText } from "../../src/pgbouncer/config.ts";

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
    expect(text).toContain("auth_query = SELECT name, verifier FROM pg_catalog.perch_pool_lookup($1)\n");
    expect(text).toContain("admin_users = perch_pooler\n");
  });
  it("accepts at the start of a session what changes no row, and nothing that changes what a statement means", () => {
    expect(configText(config)).toContain(
      "ignore_startup_parameters = extra_float_digits,statement_timeout,lock_timeout,",
    );
    for (const name of ["options", "search_path", "role", "default_transaction_read_only", "timezone"])
      expect(accepted).not.toContain(name);
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

describe("pool_mode", () => {
  it("is what the version may have, whatever was asked for", () => {
    expect(configText(config)).toContain("\npool_mode = session\n");
    expect(configText({ ...config, preparedStatements: false })).toContain("\npool_mode = transaction\n");
    expect(configText({ ...config, version: "1.21.0" })).toContain("\npool_mode = transaction\n");
  });
});

describe("users.txt", () => {
  it("quotes as PgBouncer reads it", () => {
    expect(userText('a"b')).toBe('"perch_pooler" "a""b"\n');
  });
});
