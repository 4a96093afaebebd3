import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/**
 * Which bytes of the built modules have run, of this process (V8's precise coverage, asked anew each time) and of
 * others (what NODE_V8_COVERAGE made them write). A branch is a block that V8 counts by itself, as c8 has it.
 */
export interface Coverage {
  /** Takes what ran since the last time; gives whether any of it had never run. */
  take(): boolean;
  /**
   * Whether anything that had never run has run since the last time. It counts as run with `settle` only, so that until
   * then `take` tells it again.
   */
  news(): boolean;
  settle(): void;
  /** Takes what other processes left in a directory. */
  read(directory: string): void;
  told(): { lines: number; branches: number; missed: string[] };
  close(): void;
}

interface Script {
  url: string;
  functions: { ranges: { startOffset: number; endOffset: number; count: number }[] }[];
}
interface Module {
  name: string;
  /** One of ours, and not only one that ours stands on. */
  ours: boolean;
  source: string;
  ran: Uint8Array;
  blocks: Map<string, number>;
}

export function coverageOf(names: readonly string[]): Coverage {
  const modules = new Map<string, Module>();
  for (const name of names) {
    const ours = !name.startsWith("node_modules/");
    const path = realpathSync(fileURLToPath(new URL(`../../${ours ? "dist-apart/" : ""}${name}.js`, import.meta.url)));
    const source = readFileSync(path, "utf8");
    modules.set(pathToFileURL(path).href, {
      name,
      ours,
      source,
      ran: new Uint8Array(source.length),
      blocks: new Map(),
    });
  }
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

  /** Inner ranges come after the outer ones, and say it better. */
  function add(scripts: readonly Script[], keep = true): boolean {
    let news = false;
    for (const { url, functions } of scripts) {
      const module = modules.get(url);
      if (module === undefined) continue;
      const now = new Uint8Array(module.ran.length);
      for (const { startOffset, endOffset, count } of functions.flatMap(({ ranges }) => ranges)) {
        now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
        module.blocks.set(`${startOffset}-${endOffset}`, startOffset);
      }
      for (let at = 0; at < now.length; at++) {
        if (now[at] === 0 || module.ran[at] === 1) continue;
        if (keep) module.ran[at] = 1;
        news = true;
      }
    }
    return news;
  }

  function ask(): Script[] {
    let scripts: Script[] = [];
    session.post("Profiler.takePreciseCoverage", (_error, { result }) => (scripts = result));
    return scripts;
  }

  let unsettled: Script[] = [];
  return {
    take: () => add(ask()),
    news: () => add((unsettled = ask()), false),
    settle: () => void add(unsettled),
    read(directory) {
      for (const file of readdirSync(directory)) {
        const { result } = JSON.parse(readFileSync(join(directory, file), "utf8")) as { result: Script[] };
        add(result);
      }
    },
    told() {
      const all = [...modules.values()].filter(({ ours }) => ours);
      const lines = all.flatMap(linesOf);
      const blocks = all.flatMap(({ ran, blocks: found }) => [...found.values()].map((start) => ran[start] === 1));
      const missed = lines.filter(({ ran }) => !ran).map(({ where }) => where);
      return { lines: part(lines.map(({ ran }) => ran)), branches: part(blocks), missed };
    },
    close: () => session.disconnect(),
  };
}

/** Lines with code on them. */
function linesOf({ name, source, ran }: Module): { where: string; ran: boolean }[] {
  let start = 0;
  return source.split("\n").flatMap((line, index) => {
    const from = start + line.search(/\S|$/);
    start += line.length + 1;
    return /^\s*($|\/\/|\/?\*)/.test(line)
      ? []
      : [{ where: `${name}.js:${index + 1}`, ran: ran.subarray(from, start - 1).includes(1) }];
  });
}

const part = (all: readonly boolean[]): number => (all.length === 0 ? 0 : all.filter(Boolean).length / all.length);
