/**
 * What a stranger meets: a bare Debian with git, Node.js and npm and nothing else, a clone, and the README. Real
 * packages from the mirrors this host uses, cold caches.
 *
 *     npm run test:fresh                                   both releases, as root and as an ordinary user
 *     npm run test:fresh -- --release trixie --as user     one of the four
 *     npm run test:fresh -- --whole                        in place of that, CI=true npm test as root, whole
 *     npm run test:fresh -- --project unit                 the same with some of its projects alone (may be repeated)
 *     npm run test:fresh -- --keep                         leave the machines where they are, to look around
 *
 * Needs root, and debootstrap, which it installs after saying so. It is no part of `npm test`: it takes a quarter of an
 * hour and most of a gigabyte a machine.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ensureDebootstrap, machineFrom, makeBare, releases } from "./fresh/machine.mjs";
import { newcomers, testers } from "./fresh/steps.mjs";

const several = { type: "string", multiple: true };
const { values } = parseArgs({
  options: { release: several, as: several, project: several, whole: { type: "boolean" }, keep: { type: "boolean" } },
});
/** Only root installs what all tests need. */
const tests = values.whole === true || values.project !== undefined;
const say = (line) => console.log(line);
const who = tests ? ["root"] : (values.as ?? ["root", "user"]);
const chosen = values.release ?? releases;
const unknown = [
  ...chosen.filter((name) => !releases.includes(name)),
  ...who.filter((name) => !["root", "user"].includes(name)),
];
if (unknown.length > 0 || process.getuid?.() !== 0) {
  console.error(
    unknown.length > 0
      ? `unknown: ${unknown.join(", ")}; releases are ${releases.join(", ")}, --as takes root or user`
      : "only root can make a bare machine: sudo npm run test:fresh",
  );
  process.exit(2);
}

const checkout = fileURLToPath(new URL("..", import.meta.url));
const base = mkdtempSync(join(tmpdir(), "perch-fresh-"));
const counts = { passed: 0, failed: 0 };
ensureDebootstrap(say);
// The clone is of what is committed: a file that was forgotten is missing there.
if (spawnSync("git", ["-C", checkout, "status", "--porcelain"], { encoding: "utf8" }).stdout !== "")
  say("Note: uncommitted changes are not tried.");

for (const release of chosen) {
  const bare = join(base, release);
  say(`Making a bare Debian ${release} in ${bare} …`);
  makeBare(release, bare, checkout);
  for (const account of who) {
    const machine = machineFrom(bare, `${bare}-${account}`);
    say(`\n— Debian ${release}, as ${account === "root" ? "root" : "an ordinary user"} —`);
    for (const step of tests ? testers(values.project ?? []) : newcomers(account)) {
      const since = Date.now();
      const { status, output } = machine.type(step.as ?? account, step.lines, step.env ?? {}, step.minutes);
      const right = step.expects.every((pattern) => pattern.test(output)) && (status === 0) !== (step.fails === true);
      counts[right ? "passed" : "failed"]++;
      say(`${right ? "✓" : "✗"} ${step.what} (${((Date.now() - since) / 1000).toFixed(0)} s)`);
      if (!right) say(`${output}\nended with ${status}; looked for ${step.expects.join(" ")}`);
      else if (step.show === true) say(output.replace(/^/gm, "    "));
      if (!right) break;
    }
    if (values.keep) say(`It stays: ${machine.root}`);
    else machine.remove();
  }
}
if (!values.keep) rmSync(base, { recursive: true, force: true });
say(`${counts.passed} passed, ${counts.failed} failed, 0 skipped`);
process.exit(counts.failed > 0 ? 1 : 0);
