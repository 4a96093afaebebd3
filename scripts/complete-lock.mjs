/**
 * Completes both lockfiles with the packages of other platforms. npm leaves out of a lockfile what the registry at hand
 * does not serve, and `npm ci` then refuses the lockfile on every machine. Every entry gets the hash that the registry
 * tells of it.
 *
 *     node scripts/complete-lock.mjs        after every npm install that changes the lockfile; test/house/lockfile.test.ts says when it is needed
 */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const lockfiles = ["../package-lock.json", "build/package-lock.json"].map((path) => new URL(path, import.meta.url));

/** The entries that a lockfile lacks, by path. Pure. */
export function missingEntries(packages) {
  const entries = {};
  for (const { dev, optionalDependencies = {} } of Object.values(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const path = `node_modules/${name}`;
      const platform =
        /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|x64|ia32|ppc64|riscv64|s390x)(?:-(gnu|musl)\w*|-msvc|-eabi)?$/.exec(
          name,
        );
      if (path in packages || platform === null || !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) continue;
      const [, os, cpu, libc] = platform;
      entries[path] = {
        version,
        cpu: [cpu],
        ...(dev === true ? { dev } : {}),
        ...(libc === undefined ? {} : { libc: [libc === "gnu" ? "glibc" : "musl"] }),
        optional: true,
        os: [os],
      };
    }
  }
  return entries;
}

/** Adds to every package without a hash the one that the registry has. */
async function addHashes(packages) {
  const without = Object.entries(packages).filter(([path, { integrity }]) => path !== "" && integrity === undefined);
  const ask = promisify(execFile);
  const atOnce = 8;
  for (let index = 0; index < without.length; index += atOnce)
    await Promise.all(
      without.slice(index, index + atOnce).map(async ([path, entry]) => {
        const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
        const { stdout } = await ask("npm", ["view", `${name}@${entry.version}`, "dist.integrity"]);
        if (!/^sha512-\S+$/.test(stdout.trim()))
          throw new Error(`The registry tells no hash of ${name}@${entry.version}.`);
        entry.integrity = stdout.trim();
      }),
    );
  return without.length;
}

const inNpmsOrder = ([path, { name, version, resolved, integrity, ...rest }]) => [
  path,
  { name, version, resolved, integrity, ...rest },
];

const order = ([a], [b]) => (a < b ? -1 : a > b ? 1 : 0);

async function complete(file) {
  const lock = JSON.parse(readFileSync(file, "utf8"));
  const entries = missingEntries(lock.packages);
  const hashed = await addHashes({ ...lock.packages, ...entries });
  lock.packages = Object.fromEntries(
    Object.entries({ ...lock.packages, ...entries })
      .toSorted(order)
      .map(inNpmsOrder),
  );
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${fileURLToPath(file)}: ${Object.keys(entries).length} entries and ${hashed} hashes added`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) for (const file of lockfiles) await complete(file);
