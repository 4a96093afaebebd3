import { describe, expect, it } from "vitest";
import { type Found, type Rule, unsafe } from "../../../src/host/files/closed.ts";

const file = (mode: number, uid = 0): Found => ({ kind: "file", mode, uid });
const secret: Rule = { kind: "file", mode: 0o600, owners: [0] };
const walk: Rule = { kind: "directory", mode: 0o711, owners: [0] };
const either: Rule = { kind: "file", mode: 0o600, owners: [0, 70] };

describe("what is Perch's own and shut to others", () => {
  it.each<[Found, Rule]>([
    [file(0o600), secret],
    [file(0o400), secret],
    [file(0o700), secret],
    [file(0o644), { ...secret, mode: 0o644 }],
    [{ kind: "directory", mode: 0o711, uid: 0 }, walk],
    [{ kind: "directory", mode: 0o700, uid: 0 }, walk],
    [file(0o600, 70), either],
    [{ kind: "link", mode: 0o777, uid: 0, target: file(0o600) }, secret],
  ])("is %o by %o", (found, rule) => {
    expect(unsafe("/h/x", found, rule)).toBeUndefined();
  });

  it.each<[Found, Rule, string, string]>([
    [file(0o640), secret, "others may read it (mode 640)", "chmod 600 /h/x"],
    [file(0o604), secret, "others may read it (mode 604)", "chmod 600 /h/x"],
    [file(0o620), secret, "others may write to it (mode 620)", "chmod 600 /h/x"],
    [file(0o666), { ...secret, mode: 0o644 }, "others may write to it (mode 666)", "chmod 644 /h/x"],
    [{ kind: "directory", mode: 0o755, uid: 0 }, walk, "others may read it (mode 755)", "chmod 711 /h/x"],
    [{ kind: "directory", mode: 0o777, uid: 0 }, walk, "others may write to it (mode 777)", "chmod 711 /h/x"],
    [file(0o600, 1000), secret, "it belongs to another user (uid 1000)", "chown 0 /h/x"],
    [{ kind: "directory", mode: 0o700, uid: 0 }, secret, "it is no file", "mv /h/x /h/x.strange"],
    [
      { kind: "link", mode: 0o777, uid: 1000, target: file(0o600) },
      secret,
      "it is a symbolic link that somebody else laid",
      "rm /h/x",
    ],
    [{ kind: "link", mode: 0o777, uid: 0 }, secret, "it is a symbolic link that leads nowhere", "rm /h/x"],
    [
      { kind: "link", mode: 0o777, uid: 0, target: file(0o644) },
      secret,
      "others may read it (mode 644)",
      "chmod 600 /h/x",
    ],
    [
      { kind: "link", mode: 0o777, uid: 0, target: file(0o600, 1000) },
      secret,
      "it belongs to another user (uid 1000)",
      "chown 0 /h/x",
    ],
  ])("is not %o by %o: %s", (found, rule, why, fix) => {
    expect(unsafe("/h/x", found, rule)).toEqual({ why, fix });
  });

  it("is corrected by a command that a shell takes as it stands", () => {
    expect(unsafe("/h/it's a/x", file(0o644), secret)?.fix).toBe(`chmod 600 '/h/it'\\''s a/x'`);
  });
});
