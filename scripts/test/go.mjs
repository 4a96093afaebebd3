import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * The Go that examples/go asks for. Debian's is older on every release, and is set not to fetch another. So it is asked
 * for that one as a module, which is where Go itself takes it from: the module proxy that is set here, checked by Go's
 * checksum database, kept in the module cache.
 */
const wanted = () => /^go (\d\S*)$/m.exec(readFileSync("examples/go/go.mod", "utf8"))?.[1] ?? "";

const go = (...args) =>
  spawnSync("go", args, { encoding: "utf8", cwd: tmpdir(), env: { ...process.env, GOTOOLCHAIN: "local" } });

const told = (name) => go("env", name).stdout?.trim() ?? "";

/** Whether "go1.26.8" is at least "1.25.0". */
function isEnough(version, least) {
  const numbers = (text) => (/\d+(\.\d+)*/.exec(text)?.[0] ?? "0").split(".").map(Number);
  const [has, needs] = [numbers(version), numbers(least)];
  const differs = needs.findIndex((number, index) => number !== (has[index] ?? 0));
  return differs === -1 || (has[differs] ?? 0) > needs[differs];
}

/** Gives the directory of programs that has to come first on the PATH, if any; or why there is none. */
export function findGo(say) {
  const least = wanted();
  const version = told("GOVERSION");
  if (version === "" || isEnough(version, least)) return {};
  const [cache, system, processor] = [told("GOMODCACHE"), told("GOOS"), told("GOARCH")];
  const name = `golang.org/toolchain@v0.0.1-go${least}.${system}-${processor}`;
  const directory = join(cache, name);
  if (!existsSync(join(directory, "bin/go"))) {
    say(`Fetching Go ${least} for examples/go; here is ${version} …`);
    const { status, stdout, stderr } = go("mod", "download", "-json", name);
    if (status !== 0) return { why: `${stderr}${stdout}`.trim() };
  }
  // A module's files are never programs; Go makes these so when it fetches them for itself.
  for (const below of ["bin", `pkg/tool/${system}_${processor}`])
    for (const file of readdirSync(join(directory, below))) chmodSync(join(directory, below, file), 0o755);
  return { directory: join(directory, "bin") };
}
