import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { files, read } from "./files.ts";
import { rooms } from "./rooms.ts";

/**
 * Each room says at its door what it is for, what it may not know, and where to start; the table of rooms is what holds
 * it to that.
 */
describe.each(Object.entries(rooms))("the README of %s", (name, room) => {
  const path = `src/${name}/README.md`;
  const text = files(/^src\/[^/]+\/README\.md$/).includes(path) ? read(path) : "";
  const prose = text.replaceAll(/(?<=\S)\n(?=\S)/g, " ");

  it("says what the table says: what it holds, where to start, what it may import", () => {
    const arrows = [
      ...Object.keys(room.imports).map((arrow) => `\`${arrow}\``),
      ...Object.keys(room.types ?? {}).map((arrow) => `\`${arrow}\` (types)`),
    ];
    const may = name === "daemon" ? "all but `cli` and `client`" : arrows.join(", ") || "nothing";
    expect(prose.toLowerCase()).toContain(`${room.holds}.`.toLowerCase());
    expect(prose).toContain(`Start with [\`${room.start}\`](${room.start}).`);
    expect(prose).toContain(`It may import ${may}.`);
  });

  it("is short, names files that are there, and each folder of the room", () => {
    const lines = text.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThanOrEqual(10);
    expect(lines.length).toBeLessThanOrEqual(22);
    const named = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = ""]) => target);
    const there = files(new RegExp(`^src/${name}/`));
    const at = (target: string) => join(dirname(path), target);
    expect(named.filter((target) => !there.some((file) => file === at(target) || file.startsWith(at(target))))).toEqual(
      [],
    );
    const folders = new Set(there.map((file) => file.split("/")[2] ?? "").filter((part) => !part.includes(".")));
    expect([...folders].filter((folder) => !named.some((target) => target.startsWith(folder)))).toEqual([]);
  });
});
