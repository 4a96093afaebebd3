import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../src/base/deadline.ts";
import { isRoot } from "../../src/host/system/home.ts";
import { canRead, ordinaryUser } from "../support/account.ts";
import { perchIn, repository, runToEnd, start, type RunningProgram } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Two users that have no account, so that nobody else on this host runs a Perch as them. */
const [victim, attacker] = [54_399, 54_398];
const as = (uid: number, argv: readonly string[]): string[] => [
  "setpriv",
  `--reuid=${uid}`,
  `--regid=${uid}`,
  "--clear-groups",
  "--inh-caps=-all",
  "--",
  ...argv,
];

/** Answers every connection as perchd would, and writes down what it was told. */
const fake = `
  const [path, log] = process.argv.slice(1);
  require("net").createServer((socket) => {
    socket.on("data", (data) => {
      require("fs").appendFileSync(log, data);
      socket.end("HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: 2\\r\\n\\r\\n{}");
    });
    socket.on("error", () => undefined);
  }).listen(path, () => { require("fs").chmodSync(path, 0o777); console.log("up"); });
`;

describe.skipIf(!isRoot() || process.platform !== "linux" || !canRead(ordinaryUser(), repository))(
  "a runtime directory that another user made first",
  () => {
    const home = temporaryDirectory();
    const runtime = `/tmp/perch-${victim}`;
    const own = join(runtime, createHash("sha256").update(home).digest("hex").slice(0, 8));
    const log = join(temporaryDirectory(), "told");
    let listening: RunningProgram | undefined;

    const perch = (args: readonly string[], input = "") =>
      runToEnd(as(victim, [process.execPath, main, ...args]), {
        cwd: "/",
        input,
        env: { PERCH_HOME: home, HOME: home, TMPDIR: "/var/tmp" },
      });

    /** A false perchd of that user at the place of the socket. */
    async function listenAs(uid: number): Promise<void> {
      listening = await start(as(uid, [process.execPath, "-e", fake, join(own, "perchd.sock"), log]), { cwd: "/" });
      expect(
        await ask(async () => (listening?.stdout().includes("up") === true ? true : undefined), {
          everyMs: 20,
          withinMs: 20_000,
        }),
      ).toBe(true);
    }

    beforeAll(() => {
      chownSync(home, victim, victim);
      chmodSync(dirname(log), 0o777);
    });

    afterEach(async () => {
      listening?.kill("SIGKILL");
      await listening?.ended;
      for (const path of [runtime, `${runtime}.theirs`, log]) rmSync(path, { recursive: true, force: true });
    });

    afterAll(() => rmSync(runtime, { recursive: true, force: true }));

    /** As a perchd of theirs makes it. */
    const victims = (): void => {
      mkdirSync(own, { recursive: true });
      for (const at of [runtime, own]) {
        chownSync(at, victim, victim);
        chmodSync(at, 0o700);
      }
    };

    /** What it is called, who listens there, how it is made, and what is done once somebody listens. */
    const squats: [string, number, () => void, (() => void)?][] = [
      [
        "theirs, and open to all",
        attacker,
        () => (
          mkdirSync(own, { recursive: true }),
          [runtime, own].forEach((at) => (chownSync(at, attacker, attacker), chmodSync(at, 0o777)))
        ),
      ],
      [
        "theirs, but for the last directory",
        attacker,
        () => (
          mkdirSync(own, { recursive: true }),
          chownSync(runtime, attacker, attacker),
          chownSync(own, victim, victim),
          chmodSync(own, 0o777)
        ),
      ],
      [
        "a link of theirs",
        attacker,
        () => {
          mkdirSync(own, { recursive: true });
          for (const at of [runtime, own]) chownSync(at, attacker, attacker);
          renameSync(runtime, `${runtime}.theirs`);
          symlinkSync(`${runtime}.theirs`, runtime);
          lchownSync(runtime, attacker, attacker);
        },
      ],
      [
        "the victim's, but open to a group",
        attacker,
        () => (
          mkdirSync(own, { recursive: true }),
          chownSync(runtime, victim, victim),
          chownSync(own, victim, attacker),
          chmodSync(own, 0o770)
        ),
      ],
      [
        "the victim's and closed, below one that a group may write to",
        victim,
        () => (victims(), chownSync(runtime, victim, attacker), chmodSync(runtime, 0o770)),
      ],
      [
        "the victim's and closed, but with a socket in it that was laid while it was open",
        attacker,
        () => (victims(), chmodSync(runtime, 0o711), chmodSync(own, 0o777)),
        () => [runtime, own].forEach((at) => chmodSync(at, 0o700)),
      ],
      [
        "the victim's and closed, but the last directory is a link to one of theirs",
        attacker,
        () => {
          victims();
          mkdirSync(`${runtime}.theirs`);
          chownSync(`${runtime}.theirs`, attacker, attacker);
          renameSync(own, `${own}.away`);
          symlinkSync(`${runtime}.theirs`, own);
          lchownSync(own, victim, victim);
          chmodSync(runtime, 0o711);
        },
        () => chmodSync(runtime, 0o700),
      ],
    ];

    it.each(squats)("is not believed: %s", async (_, uid, make, then) => {
      make();
      await listenAs(uid);
      then?.();
      for (const [args, input] of [
        [["secrets", "set", "-a", "web", "KEY=-"], "hunter2"],
        [["status"], ""],
        [["run", "-a", "web", "--", "true"], ""],
        [["proxy", "0:5432", "-a", "pg"], ""],
        [["up"], ""],
      ] as const) {
        const ended = await perch(args, input);
        expect({ args, code: ended.code, stderr: ended.stderr }).toEqual({
          args,
          code: 1,
          stderr: expect.stringContaining("[runtime_unsafe]") as string,
        });
      }
      expect(existsSync(log) ? readFileSync(log, "utf8") : "").toBe("");
    });

    it("is believed where it is the victim's own, as a Perch of before made it", async () => {
      victims();
      await listenAs(victim);
      await perch(["status"]);
      expect(readFileSync(log, "utf8")).toContain("GET /v1/");
    });
  },
);

it.skipIf(!isRoot())(
  "a home in a directory of another user, or of a group, is refused: another could be put in its place",
  async () => {
    const theirs = temporaryDirectory();
    const home = join(theirs, "home");
    mkdirSync(home);
    writeFileSync(join(theirs, "note"), "");
    const refused = async (why: string) => {
      const ended = await perchIn(home)(["up"]);
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining(`${theirs} is not safe: ${why}`) as string,
      });
    };
    chownSync(theirs, attacker, attacker);
    await refused(`it belongs to another user (uid ${attacker}) [home_unsafe]`);
    chownSync(theirs, 0, attacker);
    chmodSync(theirs, 0o775);
    await refused(`others may write to it (mode 775, group ${attacker}`);
  },
);
