import { describe, expect, it } from "vitest";
import { parsePidFile } from "../../../src/postgres/instance/postmaster.ts";

const file = (status: string): string => `4242\n/data\n1764000000\n5433\n/run/pg\nfdaa::1\n  1234 5\n${status}\n`;

describe("postmaster.pid", () => {
  it.each(["starting", "ready   ", "standby ", "stopping"])("says %s", (status) => {
    expect(parsePidFile(file(status))).toEqual({ pid: 4242, status: status.trim() });
  });

  it("that is still being written belongs to a server that is starting", () => {
    expect(parsePidFile("4242\n/data\n")).toEqual({ pid: 4242, status: "starting" });
  });

  it.each(["", "nonsense", "-4242\n/data", "0\n", "0x10\n", "1e3\n", " 7\n", "2147483648\n"])(
    "that says %j names no postmaster",
    (text) => {
      expect(parsePidFile(text)).toBeUndefined();
    },
  );
});
