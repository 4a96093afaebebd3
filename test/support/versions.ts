import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./perch.ts";
import { temporaryDirectory } from "./temporary.ts";

/** The version of this repository. */
export const thisVersion = (JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as { version: string }).version;

export interface Installed {
  version: string;
  directory: string;
  /** Its CLI. */
  main: string;
}

/** The built Perch, installed in another directory under another version. `edit` changes files of `dist/`: path → text of it. */
export function installAs(version: string, edit: Readonly<Record<string, (text: string) => string>> = {}): Installed {
  const directory = temporaryDirectory();
  cpSync(join(repository, "dist"), join(directory, "dist"), { recursive: true });
  symlinkSync(join(repository, "node_modules"), join(directory, "node_modules"));
  const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as object;
  writeFileSync(join(directory, "package.json"), JSON.stringify({ ...manifest, version }));
  for (const [path, change] of Object.entries(edit)) {
    const at = join(directory, "dist", path);
    const before = readFileSync(at, "utf8");
    const after = change(before);
    if (after === before) throw new Error(`nothing was changed in ${path}`);
    writeFileSync(at, after);
  }
  return { version, directory, main: join(directory, "dist/cli/main.js") };
}
