import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { forgetLogin, keepLogin, parseRemote, remoteOf } from "../../src/cli/remotes.ts";
import { tokenText } from "../../src/model/token.ts";
import { permissions } from "../../src/host/files/files.ts";
import { temporaryDirectory } from "../support/temporary.ts";

describe("another host", () => {
  it.each([
    ["db.example.com:6643", { host: "db.example.com", port: 6643 }],
    ["DB:1", { host: "db", port: 1 }],
    ["[2001:db8::1]:443", { host: "2001:db8::1", port: 443 }],
    ["203.0.113.7:65535", { host: "203.0.113.7", port: 65_535 }],
  ])("is named by %s", (text, place) => {
    expect(parseRemote(text)).toEqual(place);
  });

  it.each(["", "db", "db:", ":1", "db:0", "db:65536", "2001:db8::1:443", "https://db:1", "db:1/x", "u@db:1", "../x:1"])(
    "is not named by %j",
    (text) => {
      expect(() => parseRemote(text)).toThrow(expect.objectContaining({ code: "remote_invalid" }) as Error);
    },
  );
});

describe("a login", () => {
  const place = { host: "2001:db8::1", port: 6643 };
  const remote = { ...place, authority: "PEM", token: tokenText("a".repeat(43), "b".repeat(43)) };

  it("is kept for its owner alone, and is gone when forgotten", async () => {
    const base = join(temporaryDirectory(), "home");
    await expect(remoteOf(base, place, {})).rejects.toMatchObject({ code: "not_logged_in" });
    await keepLogin(base, remote);
    expect(await remoteOf(base, place, {})).toEqual(remote);
    const file = join(base, "logins", "_2001_db8__1__6643.json");
    expect(await permissions(file)).toBe(0o600);
    chmodSync(file, 0o640);
    await expect(remoteOf(base, place, {})).rejects.toMatchObject({ code: "key_unsafe" });
    expect([await forgetLogin(base, place), await forgetLogin(base, place)]).toEqual([true, false]);
  });

  it("gives way to PERCH_TOKEN, whose authority is asked for only where it is another's", async () => {
    const base = temporaryDirectory();
    await keepLogin(base, remote);
    const token = tokenText("c".repeat(43), "b".repeat(43));
    expect(await remoteOf(base, place, { PERCH_TOKEN: token })).toEqual({ ...remote, token });
  });
});
