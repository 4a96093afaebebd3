import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/**
 * A process that swaps directories for links to another one and back, in some microseconds each, for as long as it
 * lives: whoever goes by a path meets the link within a few files. `as`: argv that runs a program as who owns the
 * directories. Resolves when it has begun.
 */
export async function swapping(
  as: (argv: string[]) => string[],
  directory: string,
  names: readonly string[],
  target: string,
): Promise<ChildProcess> {
  const [program = "", ...rest] = as([process.execPath, "-e", script, directory, target, ...names]);
  const child = spawn(program, rest, { cwd: "/", stdio: ["ignore", "pipe", "inherit"], env: {} });
  await once(child.stdout, "data");
  return child;
}

const script = `
  const fs = require("fs");
  const [directory, target, ...names] = process.argv.slice(1);
  const attempt = (act) => { try { act(); } catch {} };
  process.chdir(directory);
  fs.writeSync(1, "begun");
  for (;;) for (const name of names) {
    attempt(() => fs.renameSync(name, name + ".away"));
    attempt(() => fs.symlinkSync(target, name));
    attempt(() => fs.unlinkSync(name));
    attempt(() => fs.renameSync(name + ".away", name));
  }`;
