/**
 * What `npm test` runs: everything a fresh clone needs first, then every project of vitest.config.ts, then one line of
 * counts.
 *
 *     npm test                                   all of it
 *     npm test -- --project unit                 one project (may be repeated)
 *     npm test -- test/dns -t "compresses"       any other argument goes to vitest
 *
 * As root on Debian or Ubuntu it installs the packages the tests need, after saying so; elsewhere it lists what is
 * missing and the tests that need it are skipped, visibly. With CI=true a missing program is a failure.
 */
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { countsOf, failuresOf, sum } from "./test/counts.mjs";
import { findGo } from "./test/go.mjs";
import { end, leftMounts, leftNamespaces, leftProcesses } from "./test/leftovers.mjs";
import { canInstall, install, missing } from "./test/packages.mjs";
import { readableFor } from "./test/readable.mjs";

const projects = ["house", "unit", "process", "network", "e2e", "fuzz", "faults", "examples"];
const root = fileURLToPath(new URL("..", import.meta.url));
const say = (line) => console.log(line);
process.chdir(root);

/** Runs a program in the foreground; its exit code, 1 when it could not be started or a signal ended it. */
function runs(program, args, env = process.env) {
  const result = spawnSync(program, args, { stdio: "inherit", env });
  if (result.error !== undefined) say(`${program}: ${result.error.message}`);
  return result.status ?? 1;
}

function stop(why) {
  say(why);
  say("0 passed, 1 failed, 0 skipped");
  process.exit(1);
}

function prepare() {
  const written = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  // What a link leads to belongs to another checkout, which npm ci would empty first.
  const linked = lstatSync("node_modules", { throwIfNoEntry: false })?.isSymbolicLink() === true;
  // ./perch installs what running needs, without the development tools.
  const whole =
    existsSync("node_modules/vitest") && written("node_modules/.package-lock.json") >= written("package-lock.json");
  if (!linked && !whole) {
    say("Installing the dependencies of package-lock.json (npm ci) …");
    if (runs("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]) !== 0)
      stop("npm ci failed; nothing was tested.");
  }
  if (runs("npm", ["run", "--silent", "build"]) !== 0) stop("The build failed; nothing was tested.");

  let absent = missing();
  if (absent.length > 0 && canInstall()) {
    const packages = [...new Set(absent.map((need) => need.package))];
    say(`Installing the Debian packages that the tests need: ${packages.join(" ")} …`);
    const why = install(packages);
    if (why !== undefined) say(`apt-get failed: ${why}`);
    absent = missing();
  }
  for (const need of absent)
    say(`Missing: ${need.program} (package ${need.package}), for ${need.for}; tests that need it are skipped.`);
  const go = findGo(say);
  if (go.directory !== undefined) process.env.PATH = `${go.directory}:${process.env.PATH}`;
  if (go.why !== undefined) say(`Go could not fetch the one that examples/go needs: ${go.why}`);
  if ((absent.length > 0 || go.why !== undefined) && process.env.CI === "true")
    stop("With CI=true every test must run; install what is missing.");
}

/** `--project NAME` and `--project=NAME` choose; everything else is vitest's. */
function choose(args) {
  const chosen = [];
  const rest = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index];
    if (arg === "--project") chosen.push(args[++index]);
    else if (arg.startsWith("--project=")) chosen.push(arg.slice("--project=".length));
    else rest.push(arg);
  }
  const unknown = chosen.filter((name) => !projects.includes(name));
  if (unknown.length > 0) stop(`There is no project ${unknown.join(", ")}; there are ${projects.join(", ")}.`);
  return { chosen: chosen.length > 0 ? projects.filter((name) => chosen.includes(name)) : projects, rest };
}

const { chosen, rest } = choose(process.argv.slice(2));
prepare();

const directory = mkdtempSync(join(tmpdir(), "perch-test-"));
// Directories of an ordinary user's tests lie below it, so others may pass through it, but not list it.
spawnSync("chmod", ["711", directory]);

const readable = readableFor(root);
if (readable.lead.length > 0) say(`Other users cannot enter ${root}: the tests see it below ${tmpdir()}.`);
const failures = [];

/** Runs one project; its counts. Without test files vitest writes no report and is content: then nothing is counted. */
function test(project) {
  say(`\n— ${project} —`);
  const report = join(directory, `${project}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const [program, ...args] = [
    ...readable.lead,
    process.execPath,
    "node_modules/vitest/vitest.mjs",
    "run",
    "--project",
    project,
    "--passWithNoTests",
    ...reporters,
    ...rest,
  ];
  const succeeded = runs(program, args, { ...process.env, PERCH_TEST_DIR: directory }) === 0;
  if (succeeded && !existsSync(report)) return { passed: 0, failed: 0, skipped: 0 };
  const counts = countsOf(report);
  failures.push(...failuresOf(report));
  return succeeded || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

/** What is still there after the tests: said, ended, and counted as failures. */
function leftovers() {
  const processes = leftProcesses(directory);
  const namespaces = leftNamespaces(directory);
  const mounts = leftMounts(directory);
  for (const { pid, command } of processes) say(`Left running: ${pid} ${command}`);
  for (const name of namespaces) say(`Left behind: the network namespace ${name}`);
  for (const path of mounts) say(`Left mounted: ${path}`);
  end(processes);
  for (const name of namespaces) spawnSync("ip", ["netns", "delete", name]);
  for (const path of mounts) spawnSync("umount", ["--lazy", path]);
  return { passed: 0, failed: processes.length + namespaces.length + mounts.length, skipped: 0 };
}

const total = sum([...chosen.map(test), leftovers()]);
rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
readable.end();
const none = total.passed + total.failed === 0;
if (none) say("No test ran.");
say("");
for (const failure of failures) say(`Failed: ${failure}`);
say(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(none || total.failed > 0 ? 1 : 0);
