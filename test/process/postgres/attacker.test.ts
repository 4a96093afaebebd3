import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pause } from "../../../src/base/deadline.ts";
import { isRoot } from "../../../src/host/system/home.ts";
import { takeBaseBackup } from "../../../src/postgres/replication/base-backup.ts";
import { findBinaries } from "../../../src/postgres/instance/binaries.ts";
import {
  formerData,
  type Proof,
  prove,
  proveFarewell,
  removeFormer,
  removeMember,
} from "../../../src/postgres/instance/data-removal.ts";
import { followLog, lastLogLines } from "../../../src/postgres/instance/logs.ts";
import { find } from "../../../src/postgres/instance/postmaster.ts";
import type { Member } from "../../../src/postgres/instance/directory.ts";
import { start, stop } from "../../../src/postgres/instance/server.ts";
import { trySettings } from "../../../src/postgres/instance/validate-settings.ts";
import { asPerch, home, newLeader, newMember, passwords, place, settingsOf, sql } from "../../support/ground.ts";
import { swapping } from "../../support/swapper.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

/**
 * A process of PostgreSQL's user, as a superuser of SQL can start one, that swaps what perchd, as root, is looking at:
 * directories for links to root's own and back, as fast as a shell can.
 */
const attackers: ChildProcess[] = [];

function attack(script: string): { end(): void } {
  const [program = "", ...rest] = place.server(["sh", "-c", `while :; do ${script}; done 2>/dev/null`]);
  const child = spawn(program, rest, { stdio: "ignore", cwd: "/" });
  attackers.push(child);
  return { end: () => void child.kill("SIGKILL") };
}

const alone = { destroying: true, whole: true, others: [], data: true };
const parted = {
  what: "former" as const,
  held: undefined,
  keeper: { machine: "keeper", systemIdentifier: 1n, timeline: 1, forks: new Map(), written: 1n },
  going: [],
};

function proofOf(proof: Proof | string): Proof {
  if (typeof proof === "string") throw new Error(proof);
  return proof;
}

const quoted = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;

/** Every text in the files below a directory. */
function texts(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
}

describe.skipIf(!isRoot() || process.platform !== "linux")(
  "PostgreSQL's user, who swaps directories for links",
  { timeout: 120_000 },
  () => {
    const own = temporaryDirectory();
    const secret = join(own, "secret.key");
    let leader: Member;
    const facts = () =>
      readdirSync(own).map((name) => [name, lstatSync(join(own, name)).uid, readFileSync(join(own, name), "utf8")]);
    let before: unknown;

    beforeAll(async () => {
      mkdirSync(join(home.postgres, "tools"), { recursive: true });
      const binaries = await findBinaries({ toolsDirectory: join(home.postgres, "tools") });
      leader = await newLeader(binaries, "attacked");
      for (const name of ["secret.key", "PG_VERSION", "pg_control", "112", "1", "f"])
        writeFileSync(join(own, name), `root's own ${name}`, { mode: 0o600 });
      before = facts();
    });

    afterAll(() => {
      for (const child of attackers) child.kill("SIGKILL");
    });

    it("gets nothing of root's by a trial of settings", async () => {
      const { root } = leader.layout;
      const attacker = attack(
        `for d in ${quoted(root)}/trial-*; do mv "$d/global" "$d/g"; ln -s ${own} "$d/global"; ln -sf ${secret} "$d/postgresql.conf"; ln -sf ${secret} "$d/PG_VERSION"; done`,
      );
      for (let turn = 0; turn < 25; turn++) {
        const changes = { work_mem: `${turn + 1}MB` };
        // What he does to the trial's own files may make it fail, and no more.
        await trySettings(leader, { changes, settings: settingsOf(leader, undefined, changes) }).catch((error: Error) =>
          expect(error.message).not.toContain("root's own"),
        );
        expect(facts()).toEqual(before);
        expect(lstatSync(own).uid).toBe(0);
      }
      attacker.end();
      expect(readdirSync(root).filter((name) => name.startsWith("trial"))).toEqual([]);
    });

    it("gets nothing of root's into a copy by functions, be it by a directory that is a link by turns or by a hard link", async () => {
      const { data } = leader.layout;
      const base = join(data, "base");
      linkSync(secret, join(data, "hard")); // as where fs.protected_hardlinks is off
      const attacker = attack(`cd ${quoted(base)} && mv 4 4.away; ln -s ${own} 4; rm -f 4; mv 4.away 4`);
      const binaries = await findBinaries({ toolsDirectory: join(home.postgres, "tools") });
      let copies = 0;
      for (let turn = 0; turn < 6; turn++) {
        const copy = await newMember(binaries, `copy${turn}`);
        await sql(leader, `SELECT pg_create_physical_replication_slot('s${turn}', true)`);
        const source = {
          leader,
          open: () => asPerch(leader),
          replicationPassword: passwords.replication,
          slot: `s${turn}`,
        };
        const ended = await takeBaseBackup(copy, source, { byFunctions: true }).catch((error: Error) => error);
        if (ended instanceof Error) expect(ended).toMatchObject({ code: "base_backup_failed" });
        else copies++;
        if (copies > 0) expect(texts(copy.layout.root).filter((text) => text.includes("root's own"))).toEqual([]);
        await sql(leader, `SELECT pg_drop_replication_slot('s${turn}')`);
        // The hard link makes it fail, and says so; without it there are copies.
        if (turn === 1) {
          expect(copies).toBe(0);
          rmSync(join(data, "hard"));
        }
      }
      attacker.end();
      expect(facts()).toEqual(before);
    });

    it("has its log shown for what it is: no link, pipe, hard link or length keeps anybody or shows root's own", async () => {
      const { log } = leader.layout;
      const line = JSON.stringify({
        timestamp: "2026-11-24 06:32:36.123 UTC",
        error_severity: "LOG",
        message: "root's own line",
      });
      writeFileSync(join(own, "f"), `${line}\n`);
      symlinkSync(join(own, "f"), join(log, "link.json"));
      linkSync(join(own, "f"), join(log, "hard.json"));
      symlinkSync("/dev/zero", join(log, "zero.json"));
      execFileSync("mkfifo", [join(log, "pipe.json")]);
      const end = new AbortController();
      const seen: string[] = [];
      const following = (async () => {
        for await (const { message } of followLog(log, 100, end.signal)) seen.push(message);
      })();
      const [program = "", ...rest] = place.server(["sh", "-c", `: > ${quoted(join(log, "long.json"))}`]);
      execFileSync(program, rest);
      truncateSync(join(log, "long.json"), 10 * 1024 ** 3);
      const lines = await lastLogLines(log, 100);
      expect(lines.map(({ message }) => message)).not.toContain("root's own line");
      await pause(600);
      await sql(leader, "SELECT pg_reload_conf()");
      end.abort();
      await following;
      expect(seen).not.toContain("root's own line");
      for (const name of ["link", "hard", "zero", "pipe", "long"]) rmSync(join(log, `${name}.json`));
      writeFileSync(join(own, "f"), "root's own f");
    });

    it.each<[string, (path: string) => void]>([
      ["a pipe", (path) => execFileSync("mkfifo", [path])],
      ["a link to /dev/zero", (path) => symlinkSync("/dev/zero", path)],
      ["ten gigabytes of nothing", (path) => (writeFileSync(path, ""), truncateSync(path, 10 * 1024 ** 3))],
      ["a directory", (path) => mkdirSync(join(path, "inner"), { recursive: true })],
    ])(
      "keeps nobody by %s in place of postmaster.pid, which is said, and goes when the server starts",
      async (_, put) => {
        await stop(leader, "fast");
        const path = join(leader.layout.data, "postmaster.pid");
        put(path);
        execFileSync("chown", ["-h", `${place.owner?.uid}`, path]);
        let said = "";
        expect(await find(leader.layout, (error) => (said = error.message))).toBeUndefined();
        expect(said).toMatch(/postmaster\.pid is not read: /);
        await start(leader);
        expect((await find(leader.layout))?.status).toBe("ready");
      },
    );

    it("has no process of another user ended that it names in postmaster.pid, though that works in the data directory", async () => {
      const { data } = leader.layout;
      await stop(leader, "fast");
      const shell = spawn("sleep", ["600"], { cwd: data, stdio: "ignore" });
      attackers.push(shell);
      const mine = ["ready", "standby"].map((status) => `${shell.pid}\n${data}\n1\n5433\n\n\n\n${status}\n`);
      for (const text of mine) {
        writeFileSync(join(data, "postmaster.pid"), text);
        expect(await find(leader.layout)).toBeUndefined();
        expect(await stop(leader, "immediate")).toBe("not running");
      }
      await start(leader);
      expect((await find(leader.layout))?.status).toBe("ready");
      expect([shell.exitCode, shell.signalCode]).toEqual([null, null]);
      shell.kill();
    });

    // Of root's, and of a third user's: that only who follows the link removes it does not depend on whose it is.
    it.each<[string, number, "removeMember" | "removeFormer"]>([
      ["root's, when a member goes", 0, "removeMember"],
      ["a third user's, when a member goes", 54_321, "removeMember"],
      ["root's, when former data goes", 0, "removeFormer"],
      ["a third user's, when former data goes", 54_321, "removeFormer"],
    ])("has nothing removed elsewhere while it swaps directories of its data for links to %s", async (_, uid, act) => {
      const elsewhere = join(temporaryDirectory(), "elsewhere");
      const names = Array.from({ length: 50 }, (_none, file) => `file-${file}`);
      mkdirSync(elsewhere);
      chmodSync(elsewhere, 0o755);
      for (const name of names) writeFileSync(join(elsewhere, name), "kept");
      for (const at of [elsewhere, ...names.map((name) => join(elsewhere, name))]) chownSync(at, uid, uid);
      const binaries = await findBinaries({ toolsDirectory: join(home.postgres, "tools") });
      for (let round = 0; round < 8; round++) {
        const member = await newMember(binaries, `gone${uid}${act}${round}`);
        const { layout } = member;
        const data = act === "removeMember" ? layout.data : formerData(layout);
        const trees = ["base", "global", "pg_wal"].map((name) => join(data, name));
        // Of the same names: by a path through the link they would go.
        for (const tree of trees) {
          mkdirSync(tree, { recursive: true });
          for (const name of names) writeFileSync(join(tree, name), "");
        }
        execFileSync("chown", ["-R", `${place.owner?.uid}:${place.owner?.gid}`, data]);
        const attacker = await swapping(place.server, data, ["base", "global", "pg_wal"], elsewhere);
        attackers.push(attacker);
        const going =
          act === "removeMember"
            ? removeMember(member, proofOf(proveFarewell({ ...alone, machine: member.id })))
            : removeFormer(member, proofOf(prove({ ...parted, machine: member.id })));
        await going.catch((error: NodeJS.ErrnoException) => expect(error.code).toBe("ENOTEMPTY"));
        attacker.kill("SIGKILL");
        expect(readdirSync(elsewhere).toSorted()).toEqual(names.toSorted());
      }
    });
  },
);
