import { leaderPort, memberPort, poolPort, memberPoolPort } from "../../src/model/ports.ts";
import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { findHome, isRoot } from "../../src/host/system/home.ts";
import { type Account, ordinaryUser } from "../support/account.ts";
import { type Ended, perchIn, type RunningProgram, repository, start, succeeded } from "../support/perch.ts";
import { temporaryDirectory, tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually } from "../support/world.ts";

const main = join(repository, "dist/cli/main.js");
const without = missingTools("ip", "nft", "unshare", "nsenter", "setpriv");
const password = "a-secret-of-another-app";

/** An app whose program is an attacker's, in each way of having a network. */
describe.skipIf(without).each([
  { mode: "root", account: undefined },
  { mode: "user", account: ordinaryUser() },
] as { mode: string; account: Account | undefined }[])(
  "what runs under perch run, in the mode $mode",
  ({ mode, account }) => {
    const root = tempHome(account);
    const perch = perchIn(root, { cwd: "/", ...(account === undefined ? {} : { as: account }) });
    const scratch = temporaryDirectory();
    const ok = async (...words: string[]) => succeeded(await perch(words));
    const begin = (...words: string[]): Promise<RunningProgram> =>
      start([process.execPath, main, ...words], {
        cwd: "/",
        env: { PERCH_HOME: root },
        ...(account === undefined ? {} : { as: account }),
      });
    const attack = (script: string, ...flags: string[]): Promise<Ended> =>
      perch(["run", "-a", "web", ...flags, "--", "sh", "-c", script]);
    const runtime = () =>
      isRoot() && mode === "root" ? findHome({ PERCH_HOME: root }).runtime : `/tmp/perch-${account?.uid}`;
    let other: RunningProgram;
    let serverUid = -1;
    let pids = { perchd: 0, postgres: 0, other: 0 };
    let leader = "";
    let key = "";

    beforeAll(async () => {
      if (mode === "root" && !isRoot()) return;
      chmodSync(scratch, 0o755);
      await ok("up");
      await ok("postgres", "create", "--name", "pg", "--region", "ams");
      for (const app of ["web", "bank"]) await ok("apps", "create", app);
      await ok("secrets", "set", "-a", "bank", `PASSWORD=${password}`);
      other = await begin("run", "-a", "bank", "--", "sh", "-c", "echo $$; exec sleep 600");
      await eventually("the other app runs", () => other.stdout() !== "");
      const status = JSON.parse(await ok("status", "--json")) as {
        clusters: { members: { address: string; id: string }[] }[];
        daemon: { pid: number };
      };
      const [member] = status.clusters[0]?.members ?? [];
      leader = member?.address ?? "";
      const lock = join(root, "postgres", member?.id ?? "", "data/postmaster.pid");
      const postmaster = readFileSync(lock, "utf8").split("\n")[0];
      serverUid = statSync(lock).uid;
      pids = { perchd: status.daemon.pid, postgres: Number(postmaster), other: Number(other.stdout()) };
      key = readFileSync(join(root, "secret.key"), "latin1").trim();
      if (!(Math.min(pids.perchd, pids.postgres, pids.other, key.length - 10) > 0))
        throw new Error(`what is attacked is not there: ${JSON.stringify(pids)}`);
    });

    const skip = mode === "root" && !isRoot();

    it.skipIf(skip).each<[how: string, script: (at: string) => string]>([
      ["by its path", (at) => `cat ${at}/secret.key; ls -A ${at}`],
      ["from the directory it was called in", () => "cat secret.key; ls -A"],
      ["below perchd's root directory", (at) => `cat /proc/${pids.perchd}/root${at}/secret.key`],
      [
        "below perchd's working directory and open files",
        () => `cat /proc/${pids.perchd}/cwd/secret.key /proc/${pids.perchd}/fd/*`,
      ],
      ["below PostgreSQL's root directory", (at) => `cat /proc/${pids.postgres}/root${at}/secret.key`],
      [
        "below that of the first process",
        (at) => `cat /proc/1/root${at}/secret.key; nsenter --target 1 --mount cat ${at}/secret.key`,
      ],
      [
        "as PostgreSQL's user",
        (at) => `setpriv --reuid=${serverUid} --clear-groups cat /proc/${pids.postgres}/root${at}/secret.key`,
      ],
      [
        "by taking away what covers it",
        (at) => `umount ${at}; umount -l ${at}; mount -t tmpfs x ${at}; cat ${at}/secret.key; ls -A ${at}`,
      ],
      ["in a mount namespace of its own", (at) => `unshare --mount sh -c 'umount ${at}; cat ${at}/secret.key'`],
      [
        "in a user namespace of its own",
        (at) => `unshare --user --map-root-user --mount sh -c 'umount -l ${at}; cat ${at}/secret.key'`,
      ],
      [
        "with a program of root's rights",
        (at) => `su root -c 'cat ${at}/secret.key' </dev/null; sudo -n cat ${at}/secret.key`,
      ],
      [
        "by a walk through all files",
        (at) => `find / -xdev -name secret.key -path '*${at}*' -exec cat {} + 2>/dev/null`,
      ],
    ])("does not come to the key of all secrets, %s", async (_how, script) => {
      const ended = await perch(["run", "-a", "web", "--", "sh", "-c", `${script(root)}; echo tried`], { cwd: root });
      expect(ended.stdout).toContain("tried");
      expect(ended.stdout.replaceAll(/^.*\btried$/gm, "").trim()).toBe("");
      expect(ended.stdout + ended.stderr).not.toContain(key.slice(0, 16));
    });

    it.skipIf(skip)("does not see another app's environment, nor its memory", async () => {
      const at = `/proc/${pids.other}`;
      const { stdout } = await attack(
        `cat ${at}/environ ${at}/maps; ls ${at}/root; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; echo tried`,
      );
      expect(stdout).toContain("tried");
      expect(stdout).not.toContain(password);
      expect(stdout).toContain("FLY_APP_NAME=web");
      expect(stdout).not.toContain("FLY_APP_NAME=bank");
    });

    it.skipIf(skip)(
      "does not come to perchd: not by its socket, nor by the command line, nor with the directory made again",
      async () => {
        const dial = `require("net").connect(process.argv[1]).on("connect",()=>console.log("in")).on("error",(e)=>console.log(e.code))`;
        const { stdout } = await attack(
          `for s in ${runtime()}/perchd.sock ${runtime()}/*/perchd.sock /proc/${pids.perchd}/root${runtime()}/perchd.sock; do ${process.execPath} -e '${dial}' "$s"; done
       ${process.execPath} ${main} run -a bank -- printenv PASSWORD; mkdir -p ${runtime()}/x; ls -A ${runtime()}`,
        );
        expect(stdout).not.toContain("in\n");
        expect(
          stdout
            .trim()
            .split("\n")
            .filter((line) => !/^(?:ENOENT|EACCES|ENOTDIR)$/.test(line)),
        ).toEqual([]);
      },
    );

    it.skipIf(skip)("gains no right by any program, and none over the network", async () => {
      const { stdout } = await attack(
        `grep -E '^(NoNewPrivs|CapEff)' /proc/self/status
       ip address add ${leader.replace(/:[^:]*$/, ":ffff")}/128 dev lo && echo address; nft list ruleset | grep chain; ip link delete lo && echo link; echo tried`,
      );
      expect(stdout).toMatch(/^NoNewPrivs:\t1$/m);
      const effective = BigInt(`0x${/^CapEff:\t(\w+)$/m.exec(stdout)?.[1]}`);
      // sys_admin, sys_ptrace, net_admin, sys_module, mknod, dac_read_search
      for (const capability of [21, 19, 12, 16, 27, 2])
        expect(effective & (1n << BigInt(capability)), String(capability)).toBe(0n);
      expect(stdout.trim().split("\n").slice(2)).toEqual(["tried"]);
    });

    it.skipIf(skip || missingTools("ping"))("pings, without a raw socket", async () => {
      expect(await attack("ping -6 -c1 -W2 ::1 >/dev/null")).toMatchObject({ code: 0, stderr: "" });
    });

    describe.runIf(mode === "root" && isRoot())("as root", () => {
      const squat = `
      const net = require("net");
      const [address, ...ports] = process.argv.slice(1);
      let open = 0;
      const said = () => { if (++open === ports.length) console.log("listening"); };
      for (const port of ports)
        net.createServer((s) => { console.log("asked"); s.end("give me your password"); }).listen(Number(port), address, said).on("error", (e) => { console.log(port, e.code); said(); });`;
      const ports = [leaderPort, memberPort, poolPort, memberPoolPort];
      const ask = (port: number) =>
        `const s=require("net").connect(${port},"${leader}",()=>{}).on("data",(d)=>console.log(String(d))).on("error",(e)=>console.log(e.code));setTimeout(()=>process.exit(),1500)`;

      it.each([
        ["root", []],
        ["another user", ["--user", ordinaryUser().name]],
      ])("is not believed at a member's address while the server is down, as %s", async (_who, flags) => {
        const [{ id }] = JSON.parse(await ok("machine", "list", "-a", "pg", "--json")) as [{ id: string }];
        await ok("machine", "stop", id);
        try {
          // At the member's own address, and at all addresses.
          for (const where of [leader, "::"]) {
            const squatter = await begin(
              "run",
              "-a",
              "web",
              ...flags,
              "--",
              process.execPath,
              "-e",
              squat,
              where,
              ...ports.map(String),
            );
            await eventually("it listens", () => squatter.stdout().includes("listening"));
            const asked = await attack(
              `${ports.map((port) => `${process.execPath} -e '${ask(port)}' & `).join("")} wait; echo tried`,
            );
            expect(asked.stdout, where).toContain("tried");
            expect(asked.stdout, where).not.toContain("password");
            expect(squatter.stdout()).not.toMatch(/asked|EADDRINUSE/);
            squatter.kill("SIGTERM");
            await squatter.ended;
          }
        } finally {
          await ok("machine", "start", id);
        }
      });

      it("may listen at its own address and the same ports, and is reached there", async () => {
        const own = await begin(
          "run",
          "-a",
          "web",
          "--",
          "sh",
          "-c",
          `exec ${process.execPath} -e "$0" "$FLY_PRIVATE_IP" 5433`,
          squat,
        );
        await eventually("it listens", () => own.stdout().includes("listening"));
        const { machines } = {
          machines: JSON.parse(await ok("machine", "list", "-a", "web", "--json")) as { address: string }[],
        };
        const dial = ask(5433).replace(leader, machines[0]?.address ?? "");
        expect((await attack(`${process.execPath} -e '${dial}'`)).stdout).toContain("give me your password");
        own.kill("SIGTERM");
        await own.ended;
      });

      it("is no name server: port 53 is nobody's, while 80 may be taken", async () => {
        const listen = (port: number) =>
          `require("net").createServer().listen(${port},"::",()=>{console.log("open");process.exit()}).on("error",(e)=>console.log(e.code))`;
        for (const flags of [[], ["--user", ordinaryUser().name]]) {
          expect((await attack(`${process.execPath} -e '${listen(53)}'`, ...flags)).stdout).toBe("EACCES\n");
          expect((await attack(`${process.execPath} -e '${listen(80)}'`, ...flags)).stdout).toBe("open\n");
        }
      });

      it("changes no setting of the kernel, its network's neither, in whatever namespace of its own", async () => {
        const setting = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
        const write = `echo 0 > ${setting} && echo changed; cat /proc/sys/kernel/core_pattern > /proc/sys/kernel/core_pattern && echo changed; echo h > /proc/sysrq-trigger && echo changed`;
        const alone = "unshare --user --map-root-user --mount --pid --fork";
        const ways = [
          write,
          `mount -o remount,rw,bind /proc/sys; umount -l /proc/sys; ${write}`,
          `${alone} sh -c '${write}'; ${alone} sh -c 'umount -l /proc/sys; mount -o remount,rw,bind /proc/sys; ${write}'`,
          `${alone} --mount-proc sh -c '${write}'; ${alone} sh -c 'mount -t proc proc ${scratch}; echo 0 > ${scratch}/sys/net/ipv4/ip_unprivileged_port_start && echo changed'`,
          `for at in /proc/*/root${setting} /sys/kernel/uevent_helper; do cat $at > $at && echo changed; done`,
        ];
        // They can be read, and what is mounted below is there.
        const { stdout: seen } = await attack("ls /sys/fs/cgroup | wc -l; cat /proc/sys/kernel/ostype");
        expect(seen).toBe(`${existsSync("/sys/fs/cgroup") ? readdirSync("/sys/fs/cgroup").length : 0}\nLinux\n`);
        const { stdout } = await attack(ways.map((way) => `{ ${way}; } 2>/dev/null; cat ${setting}`).join("\n"));
        expect(stdout).toBe("54\n".repeat(ways.length));
      });

      it("becomes an ordinary user as ever, but not PostgreSQL's", async () => {
        const { name, uid } = ordinaryUser();
        expect(
          (
            await attack(
              `setpriv --reuid=${uid} --clear-groups id -u; touch ${scratch}/mine && chown ${name} ${scratch}/mine && stat -c %u ${scratch}/mine`,
            )
          ).stdout,
        ).toBe(`${uid}\n${uid}\n`);
        // In there its number is no user's, so stat would say nobody's.
        const { code, stdout, stderr } = await attack(`setpriv --reuid=${serverUid} --clear-groups id -u`);
        expect([stdout, stderr]).toEqual(["", expect.stringContaining("setresuid failed") as string]);
        expect(code).not.toBe(0);
      });

      it("with --user is that user, with its groups, its home and no capability", async () => {
        const { name, uid, gid, home } = ordinaryUser();
        const { stdout } = await attack(
          'id -u; id -g; echo "$USER $LOGNAME $HOME"; grep -E "^(CapEff|CapPrm|NoNewPrivs)" /proc/self/status',
          "--user",
          name,
        );
        expect(stdout).toBe(
          `${uid}\n${gid}\n${name} ${name} ${home}\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n`,
        );
        expect((await attack("id -u", "--user", String(uid))).stdout).toBe(`${uid}\n`);
        expect((await attack("exit 7", "--user", name)).code).toBe(7);
        const file = join(scratch, "roots");
        writeFileSync(file, "root's", { mode: 0o600 });
        chownSync(file, 0, 0);
        expect((await attack(`cat ${file}`, "--user", name)).stdout).toBe("");
      });

      it.each([
        ["perch-postgres", "PostgreSQL runs as it"],
        ["no-such-user", "this host has no such user"],
        ["--help", "this host has no such user"],
        ["", "this host has no such user"],
      ])("runs nothing with --user %j", async (name, why) => {
        const ended = await attack("echo ran", `--user=${name}`);
        expect(ended).toMatchObject({ code: 2, stdout: "" });
        expect(ended.stderr).toContain(`${why} [run_user_refused]`);
      });
    });

    it.runIf(mode === "user")("has no --user, which needs root", async () => {
      const ended = await attack("echo ran", "--user", "nobody");
      expect(ended).toMatchObject({ code: 2, stdout: "" });
      expect(ended.stderr).toContain("[run_user_refused]");
    });
  },
);
