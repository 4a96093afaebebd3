import { basename, dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { files, read } from "./files.ts";
import { importsOf } from "./imports.ts";
import { ownFiles, rooms, roomsTable, spawners } from "./rooms.ts";

const sources = files(/^src\/.*\.ts$/).filter((path) => !path.startsWith("src/dashboard/"));
const roomOf = (path: string): string => path.split("/")[1] ?? "";

/**
 * Every import of every file: the file, what it names, and where that leads within src (without its `src/`), where it
 * does.
 */
const all = sources.flatMap((path) =>
  importsOf(read(path)).map(({ from, types }) => ({
    path,
    from,
    types,
    to: from.startsWith(".") ? relative("src", join(dirname(path), from)) : undefined,
  })),
);

describe("the rooms of src/", () => {
  it("are seen: there are files, and they import", () => {
    expect(sources.length, "files seen").toBeGreaterThan(20);
    expect(all.length, "imports seen").toBeGreaterThan(sources.length);
  });

  it("import only what the table allows", () => {
    const broken = all.flatMap(({ path, from, to, types }) => {
      if (to === undefined) return [];
      const [here, there] = [roomOf(path), roomOf(`src/${to}`)];
      if (here === there) return [];
      const room = rooms[here];
      const allowed =
        room !== undefined && (there in room.imports || to in room.imports || (types && there in (room.types ?? {})));
      return allowed ? [] : [`${path} imports ${types ? "types from " : ""}${from}: ${here} may not know ${there}`];
    });
    expect(broken, `of ${all.length} imports in ${sources.length} files; the table is test/house/rooms.ts`).toEqual([]);
  });

  it("keep handlers from servers, poolers and the kernel: no reason in the table makes that right", () => {
    const kept = ["postgres", "pgbouncer", "network", "ingress"];
    const { imports = {}, types = {} } = rooms["server"] ?? {};
    const arrows = [...Object.keys(imports), ...Object.keys(types)].map((to) => to.split("/")[0] ?? "");
    expect(arrows.length, "arrows seen").toBeGreaterThan(5);
    expect(arrows.filter((to) => kept.includes(to))).toEqual([]);
  });

  it("import nothing in a circle, not even types: a file can be read after those it imports", () => {
    const edges = new Map(
      sources.map((path) => [
        path,
        all.filter((one) => one.path === path && one.to !== undefined).map(({ to }) => `src/${to ?? ""}`),
      ]),
    );
    const done = new Set<string>();
    const circles: string[] = [];
    // What is loaded when it is typed is no part of who loads it.
    edges.set("src/cli/commands.ts", []);
    const visit = (path: string, above: readonly string[]): void => {
      if (above.includes(path)) circles.push([...above.slice(above.indexOf(path)), path].join(" → "));
      if (above.includes(path) || done.has(path)) return;
      for (const next of edges.get(path) ?? []) visit(next, [...above, path]);
      done.add(path);
    };
    for (const path of sources) visit(path, []);
    expect(circles).toEqual([]);
  });

  it("swallow no cause without saying why: a catch that drops its error has a comment", () => {
    const silent = sources.flatMap((path) => {
      const lines = read(path).split("\n");
      const said = (index: number) =>
        /\/\/ |\*\/$/.test(lines[index] ?? "") || /\/\/ |\*\/$/.test(lines[index - 1] ?? "");
      const drops = (line: string, index: number) =>
        (/\.catch\(\(\) =>/.test(line) && !said(index)) ||
        (/\bcatch \{/.test(line) && !said(index) && !said(index + 1));
      return lines.flatMap((line, index) => (drops(line, index) ? [`${path}:${index + 1}`] : []));
    });
    expect(silent).toEqual([]);
  });

  it("know only their own packages", () => {
    const broken = all
      .filter(({ from, types }) => !types && !from.startsWith(".") && !from.startsWith("node:"))
      .map(({ path, from }) => ({
        path,
        name: from
          .split("/")
          .slice(0, from.startsWith("@") ? 2 : 1)
          .join("/"),
      }))
      .filter(({ path, name }) => !(rooms[roomOf(path)]?.packages.includes(name) ?? false));
    expect(broken).toEqual([]);
  });

  it("that are pure know nothing of the machine", () => {
    const broken = all.filter(({ path, from }) => rooms[roomOf(path)]?.pure === true && from.startsWith("node:"));
    expect(broken.map(({ path, from }) => `${path} imports ${from}`)).toEqual([]);
  });

  it("leave starting programs to host", () => {
    const broken = all.filter(
      ({ path, from }) => /^(node:)?child_process$/.test(from) && !(roomOf(path) in spawners) && !(path in spawners),
    );
    expect(broken.map(({ path }) => path)).toEqual([]);
  });

  it("leave files to host: a room that meets PostgreSQL's directories names none by itself", () => {
    const meeting = new Set([
      "postgres",
      "pgbouncer",
      "cluster",
      "engine",
      "reconcile",
      "doctor",
      "capacity",
      "server",
    ]);
    const found = all.filter(
      ({ path, from, types }) => !types && meeting.has(roomOf(path)) && /^(node:)?fs(\/promises)?$/.test(from),
    );
    expect([...new Set(found.map(({ path }) => path))].toSorted()).toEqual(Object.keys(ownFiles).toSorted());
    expect(sources.filter((path) => !path.startsWith("src/host/") && /\bl?chown\(/.test(read(path)))).toEqual([
      "src/daemon/inspect.ts",
    ]);
  });

  it("are not index files that pass everything on", () => {
    expect(sources.filter((path) => basename(path) === "index.ts")).toEqual([]);
  });

  it("are all in the table, and each opens with what it is for", () => {
    const present = [...new Set(sources.map(roomOf))];
    expect(present.toSorted()).toEqual(Object.keys(rooms).toSorted());
    const silent = present.filter((name) => {
      const start = `src/${name}/${rooms[name]?.start}`;
      if (!sources.includes(start)) return true;
      const opening = /\/\*\*([\s\S]*?)\*\//.exec(read(start));
      // Two lines at least, before anything is exported.
      return (
        opening === null ||
        opening[1] === undefined ||
        opening[1].trim().length < 120 ||
        /^export (?!.* from )/m.test(read(start).slice(0, opening.index))
      );
    });
    expect(silent.map((name) => `${name}: ${rooms[name]?.start} is missing or opens with no paragraph`)).toEqual([]);
  });

  it("are shown by ARCHITECTURE.md as the table has them", () => {
    expect(read("ARCHITECTURE.md")).toContain(roomsTable());
  });
});
