import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./perch.ts";
import { temporaryDirectory } from "./temporary.ts";

/** The version of this repository. */
export const thisVersion = (JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as { version: string })
  .version;

export interface Installed {
  version: string;
  directory: string;
  /** Its CLI. */
  main: string;
}

/**
 * The built Perch, installed in another directory under another version. `edit` changes modules of `src/` in every
 * program that has them: path → text of it, built.
 */
export function installAs(version: string, edit: Readonly<Record<string, (text: string) => string>> = {}): Installed {
  const directory = temporaryDirectory();
  cpSync(join(repository, "dist"), join(directory, "dist"), { recursive: true });
  symlinkSync(join(repository, "node_modules"), join(directory, "node_modules"));
  const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as object;
  writeFileSync(join(directory, "package.json"), JSON.stringify({ ...manifest, version }));
  for (const [path, change] of Object.entries(edit)) changeModule(join(directory, "dist"), path, change);
  return { version, directory, main: join(directory, "dist/cli/main.js") };
}

/** In a program, the text of a module begins with a line that names it, and goes on to the next such line. */
function changeModule(dist: string, path: string, change: (text: string) => string): void {
  const programs = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  let changed = 0;
  for (const at of programs.map((name) => join(dist, name))) {
    const parts = readFileSync(at, "utf8").split(/^(?=(?: {2})?\/\/ \S+\.(?:ts|js|mjs|cjs)$)/m);
    const mine = parts.findIndex((part) => part.trimStart().startsWith(`// src/${path}\n`));
    const after = change(parts[mine] ?? "");
    if (mine < 0 || after === parts[mine]) continue;
    writeFileSync(at, parts.with(mine, after).join(""));
    changed++;
  }
  if (changed === 0) throw new Error(`nothing was changed in ${path}`);
}
