import { describe, expect, it } from "vitest";
import { proxyWords } from "../../../src/cli/proxy/local.ts";

describe("the words of perch proxy", () => {
  it.each([
    ["5432", { local: { port: 5432 }, host: undefined, port: undefined }],
    ["0", { local: { port: 0 }, host: undefined, port: undefined }],
    ["15432:5433", { local: { port: 15_432 }, host: undefined, port: 5433 }],
    ["8080:web.internal:3000", { local: { port: 8080 }, host: "web.internal", port: 3000 }],
    ["8080:web.internal", { local: { port: 8080 }, host: "web.internal", port: undefined }],
    ["53:[fdaa::3]:53", { local: { port: 53 }, host: "[fdaa::3]", port: 53 }],
    ["53:fdaa:1:2::3", { local: { port: 53 }, host: "fdaa:1:2::3", port: undefined }],
    ["./pg.sock", { local: { path: "./pg.sock" }, host: undefined, port: undefined }],
    ["/tmp/.s.PGSQL.5432:5433", { local: { path: "/tmp/.s.PGSQL.5432" }, host: undefined, port: 5433 }],
  ])("%s", (word, meant) => {
    expect(proxyWords(word)).toEqual(meant);
  });

  it("may have the host by itself, as flyctl has it", () => {
    expect(proxyWords("15432:5432", "pg.internal")).toEqual({
      local: { port: 15_432 },
      host: "pg.internal",
      port: 5432,
    });
  });

  it.each([
    ["x"],
    [""],
    ["-1"],
    ["65536"],
    ["5432:"],
    ["5432:0"],
    ["5432:99999"],
    ["5432::5432"],
    ["5432:pg.internal:x"],
    ["5432:pg.internal:0"],
  ])("%s is refused, with what is wrong", (word) => {
    expect(() => proxyWords(word)).toThrow(expect.objectContaining({ code: "proxy_invalid" }));
  });

  it("may not have two hosts", () => {
    expect(() => proxyWords("5432:a.internal:1", "b.internal")).toThrow("the host was given twice");
  });
});
