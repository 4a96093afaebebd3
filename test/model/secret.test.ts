import fc from "fast-check";
import pg from "pg";
import { describe, expect, it } from "vitest";
import {
  checkPassword,
  checkSecretName,
  checkSecretValue,
  databaseUrl,
  maxSecretBytes,
} from "../../src/model/secret.ts";

describe("a secret's name", () => {
  it.each(["A", "_", "DATABASE_URL", "lower_case", "X9", "FLYING", "PERCHED", "a".repeat(255)])("may be %s", (name) => {
    expect(checkSecretName(name)).toBe(name);
  });

  it.each([
    "",
    "9X",
    "A-B",
    "A B",
    "A=B",
    "A\n",
    "É",
    "A\0",
    "a".repeat(256),
    "FLY_X",
    "fly_x",
    "PERCH_HOME",
    "Perch_x",
  ])("may not be %j", (name) => {
    expect(() => checkSecretName(name)).toThrow(expect.objectContaining({ code: "secret_name_invalid" }));
  });
});

describe("a secret's value", () => {
  it.each(["", "plain", 'a "b"\nc', "a=b", "é😀", "x".repeat(maxSecretBytes)])(
    "may be any text up to 64 KiB: %#",
    (value) => {
      expect(checkSecretValue("TOKEN", value)).toBe(value);
    },
  );

  it("is measured in bytes", () => {
    const value = "é".repeat(maxSecretBytes / 2);
    expect(checkSecretValue("TOKEN", value)).toBe(value);
    expect(() => checkSecretValue("TOKEN", `${value}x`)).toThrow("the value of secret TOKEN has 65537 bytes");
  });

  it("is never part of the error", () => {
    for (const value of ["hunter2\0", "hunter2\ud800", "hunter2".repeat(10_000)]) {
      const check = () => checkSecretValue("TOKEN", value);
      expect(check).toThrow(/TOKEN/);
      expect(check).not.toThrow(/hunter2/);
    }
  });
});

describe("a password", () => {
  it.each(["12345678", "with space", "@:/?#%&=+'\"\\", "pässwörd", "😀😀😀😀", "x".repeat(128)])(
    "may be %s",
    (password) => {
      expect(checkPassword(password)).toBe(password);
    },
  );

  it.each(["", "1234567", "x".repeat(129), "with\nnewline", "with\0nul", "with\u007fdel", "half\ud800pair"])(
    "may not be %j",
    (password) => {
      expect(() => checkPassword(password)).toThrow(expect.objectContaining({ code: "password_invalid" }));
    },
  );
});

describe("a database URL", () => {
  const at = { user: "web", password: "secret99", host: "pg.internal", port: 5432, database: "web" };

  it("is short and plain where its parts are", () => {
    expect(databaseUrl(at)).toBe("postgres://web:secret99@pg.internal:5432/web");
    expect(databaseUrl({ ...at, scheme: "postgresql" })).toBe("postgresql://web:secret99@pg.internal:5432/web");
  });

  it("has an address in brackets", () => {
    expect(databaseUrl({ ...at, host: "fdaa::10", port: 5433 })).toBe("postgres://web:secret99@[fdaa::10]:5433/web");
  });

  it("has nothing in it that a shell, a file of variables or a URL would take for its own", () => {
    const url = databaseUrl({ ...at, password: " !\"#$%&'()*+,/:;<=>?@[\\]^`{|}~" });
    expect(url).toMatch(/^postgres:\/\/web:[A-Za-z0-9%~]+@pg\.internal:5432\/web$/);
  });

  // "." and ".." are steps of a path in a URL, and so no names (checkIdentifier).
  const word = fc
    .oneof(
      fc.string({ unit: "grapheme", minLength: 1 }),
      fc.string({
        unit: fc.constantFrom(
          "@",
          ":",
          "/",
          "%",
          "#",
          "?",
          "&",
          "=",
          "+",
          " ",
          "'",
          '"',
          "[",
          "]",
          "\\",
          "ä",
          "😀",
          "\0",
          "\n",
        ),
        minLength: 1,
      }),
    )
    .filter((text) => text !== "." && text !== "..");

  it("is read back as it was meant, by the URL standard", () => {
    fc.assert(
      fc.property(word, word, word, (user, password, database) => {
        const url = new URL(databaseUrl({ ...at, user, password, database }));
        expect([url.username, url.password, url.pathname.slice(1)].map(decodeURIComponent)).toEqual([
          user,
          password,
          database,
        ]);
        expect([url.protocol, url.hostname, url.port]).toEqual(["postgres:", "pg.internal", "5432"]);
      }),
    );
  });

  it("is read back as it was meant, by node-postgres, which leaves %40 and the like in a database's name as they are", () => {
    const plainName = word.filter((name) => encodeURI(name) === encodeURIComponent(name));
    fc.assert(
      fc.property(word, word, plainName, (user, password, database) => {
        const client = new pg.Client({ connectionString: databaseUrl({ ...at, user, password, database }) });
        expect(client).toMatchObject({ user, password, database, host: "pg.internal", port: 5432 });
      }),
    );
  });
});
