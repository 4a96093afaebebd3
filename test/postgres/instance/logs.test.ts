import { appendFile, mkdtemp, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { beginLog, followLog, lastLogLines } from "../../../src/postgres/instance/logs.ts";

const line = (message: string): string =>
  `${JSON.stringify({ timestamp: "2026-11-24 06:32:36.123 UTC", error_severity: "LOG", message })}\n`;
const messages = (lines: readonly { message: string }[]): string[] => lines.map(({ message }) => message);

let directory: string;
const at = (day: string): string => join(directory, `postgresql-${day}.json`);
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), "perch-logs-"))));
afterEach(() => rm(directory, { recursive: true }));

describe("the last lines of a log", () => {
  it("go back over days, and over more than one block of a file", async () => {
    await writeFile(at("Mon"), line("monday 1") + line("monday 2"));
    await utimes(at("Mon"), 1_000, 1_000);
    const many = Array.from({ length: 3_000 }, (_, n) => `tuesday ${n} ${"é".repeat(40)}`);
    await writeFile(at("Tue"), many.map(line).join(""));
    expect(messages(await lastLogLines(directory, 2_999))).toEqual(many.slice(1));
    expect(messages(await lastLogLines(directory, 3_001))).toEqual(["monday 2", ...many]);
    expect(await lastLogLines(directory, 0)).toEqual([]);
    expect(await lastLogLines(directory, 9_999)).toHaveLength(3_002);
  });

  it("are none where there is no log", async () => {
    expect(await lastLogLines(join(directory, "absent"), 5)).toEqual([]);
  });
});

describe("a log that is followed", () => {
  it("gives every line once, over half lines, a new day, and a day that comes round again", async () => {
    const half = line("half, then whole: é");
    const cut = Buffer.from(half).indexOf(0xc3) + 1; // within the é
    await writeFile(
      at("Mon"),
      Buffer.concat([Buffer.from(line("first") + line("second")), Buffer.from(half).subarray(0, cut)]),
    );
    const stop = new AbortController();
    const feed = followLog(directory, 1, stop.signal);
    const next = async (): Promise<string | undefined> =>
      ((await feed.next()).value as { message: string } | undefined)?.message;
    expect(await next()).toBe("second");

    const waiting = next();
    await appendFile(at("Mon"), Buffer.from(half).subarray(cut));
    expect(await waiting).toBe("half, then whole: é");

    await appendFile(at("Mon"), line("late on monday"));
    await writeFile(at("Tue"), line("tuesday"));
    await utimes(at("Tue"), Date.now() / 1000 + 5, Date.now() / 1000 + 5);
    expect([await next(), await next()]).toEqual(["late on monday", "tuesday"]);

    await truncate(at("Tue"));
    const again = next();
    await appendFile(at("Tue"), line("t"));
    expect(await again).toBe("t");
    const end = feed.next();
    stop.abort();
    expect((await end).done).toBe(true);
  });

  it("goes through every file that came between two looks, and on where its own was taken away", async () => {
    const later = async (name: string, text: string, seconds: number) => {
      await writeFile(at(name), text);
      await utimes(at(name), 2_000 + seconds, 2_000 + seconds);
    };
    await later("1", line("first"), 0);
    const stop = new AbortController();
    const feed = followLog(directory, 1, stop.signal);
    const next = async (): Promise<string | undefined> =>
      ((await feed.next()).value as { message: string } | undefined)?.message;
    expect(await next()).toBe("first");
    await later("2", line("second"), 1);
    await later("3", line("third"), 1);
    await later("4", line("fourth"), 2);
    expect([await next(), await next(), await next()]).toEqual(["second", "third", "fourth"]);
    await rm(at("4"));
    await later("5", line("fifth, as long as the fourth"), 3);
    expect(await next()).toBe("fifth, as long as the fourth");
    stop.abort();
    expect((await feed.next()).done).toBe(true);
  });

  it("has what was said while its past was being shown, over a rotation, too", async () => {
    await writeFile(at("1"), line("past"));
    const { past, follow } = await beginLog(directory, 5);
    await appendFile(at("1"), line("meanwhile"));
    await writeFile(at("2"), line("in the next file"));
    await utimes(at("2"), Date.now() / 1000 + 5, Date.now() / 1000 + 5);
    expect(messages(past)).toEqual(["past"]);
    const stop = new AbortController();
    const feed = follow(stop.signal);
    const got = [(await feed.next()).value, (await feed.next()).value] as { message: string }[];
    expect(messages(got)).toEqual(["meanwhile", "in the next file"]);
    stop.abort();
    expect((await feed.next()).done).toBe(true);
  });
});
