import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, asAccount, canRead, ordinaryUser } from "../support/account.ts";
import { hostAddress, type Internet, internet } from "../support/internet.ts";
import { type Ended, type RunningProgram, repository, runToEnd, start, succeeded } from "../support/perch.ts";
import { tempHome, temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { processesOf } from "../support/traces.ts";
import { eventually } from "../support/world.ts";

const stranger = "203.0.113.7";
const main = join(repository, "dist/cli/main.js");
const get = (url: string) =>
  `fetch("${url}",{signal:AbortSignal.timeout(4000)}).then(r=>r.text()).then(console.log,e=>console.log(e.cause?.code??e.name))`;
const serve = (port: number, address: string, text: string) =>
  `require("http").createServer((q,s)=>s.end("${text}")).listen(${port},"${address}",()=>console.log("listening"))`;

/**
 * The way out and the way in of commands, on a host with an Internet behind it. Namespaces of the test's own are both.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "pasta", "curl"))("a command in the network", () => {
  const started: RunningProgram[] = [];
  let net: Internet;

  async function program(...argv: string[]): Promise<RunningProgram> {
    const running = await start(argv);
    started.push(running);
    await eventually("it listens", () => running.stdout().includes("listening"));
    return running;
  }

  beforeAll(async () => {
    net = await internet([stranger]);
    succeeded(await runToEnd([...net.host, "ip", "route", "add", "default", "via", stranger]));
    await program(...net.strangers, "node", "-e", serve(80, stranger, "the Internet"));
    await program(...net.host, "node", "-e", serve(8080, "127.0.0.1", "the host alone"));
  });
  afterAll(async () => {
    for (const each of started) each.kill("SIGTERM");
    await Promise.all(started.map(({ ended }) => ended));
  });

  /** A Perch on that host, of root or of an ordinary user. */
  function perchOf(home: string, as?: Account, env: Record<string, string> = {}) {
    const argv = (words: readonly string[]) => [
      ...net.host,
      ...(as === undefined ? [process.execPath] : asAccount(as, [process.execPath])),
      main,
      ...words,
    ];
    const options = { cwd: "/", env: { PERCH_HOME: home, ...(as === undefined ? {} : { HOME: as.home }), ...env } };
    return {
      perch: (...words: string[]): Promise<Ended> => runToEnd(argv(words), options),
      node: async (code: string) => succeeded(await runToEnd(argv(["run", "--", "node", "-e", code]), options)).trim(),
      begin: (...words: string[]) => start(argv(words), options),
    };
  }
  type At = ReturnType<typeof perchOf>;
  const visit = async (from: readonly string[], url: string) => (await runToEnd([...from, "curl", "-sm4", url])).stdout;
  const pasta = async (home: string) => (await processesOf(home)).filter(({ command }) => command.includes("pasta"));

  /** What holds for root and for anybody else. `out`: whether the kernel lets that user make the way out. */
  function holds(at: () => At, home: string, out = true): void {
    it.skipIf(!out)("reaches the Internet, and neither the host's loopback nor another network", async () => {
      expect(await at().node(get(`http://${stranger}/`))).toBe("the Internet");
      expect(await at().node(get("http://127.0.0.1:8080/"))).toBe("ECONNREFUSED");
      expect(await at().node(get("http://[fdaa:1:2::3]/"))).toMatch(/^(ECONNREFUSED|EACCES|EHOSTUNREACH|ENETUNREACH)$/);
      expect(await at().node(get(`http://${hostAddress}:8080/`))).toBe("ECONNREFUSED");
    });

    it("is reached by nobody but through what it publishes, and by the host alone unless another address is given", async () => {
      const port = 3000;
      const published = ["--publish", `18080:${port}`, "--publish", "18081:3001"];
      const both = `${serve(port, "0.0.0.0", "for the host")};${serve(3001, "localhost", "at localhost")}`;
      const running = await at().begin("run", ...published, "--", "node", "-e", both);
      await eventually("both listen", () => running.stdout().split("listening").length === 3);
      expect(await visit(net.host, "http://127.0.0.1:18080/")).toBe("for the host");
      expect(await visit(net.host, "http://127.0.0.1:18081/")).toBe("at localhost");
      expect(await visit(net.strangers, `http://${hostAddress}:18080/`)).toBe("");
      expect(await visit(net.strangers, `http://${hostAddress}:${port}/`)).toBe("");
      running.kill("SIGTERM");
      expect((await running.ended).code).toBe(143);
      expect(await visit(net.host, "http://127.0.0.1:18080/")).toBe("");

      const open = await at().begin(
        "run",
        "--publish",
        "18080:3000",
        "--publish-address",
        hostAddress,
        "--",
        "node",
        "-e",
        serve(port, "::", "for all"),
      );
      await eventually("it listens", () => open.stdout().includes("listening"));
      expect(await visit(net.strangers, `http://${hostAddress}:18080/`)).toBe("for all");
      open.kill("SIGTERM");
      await open.ended;
    });

    it("does not begin where its port is taken", async () => {
      const ended = await at().perch("run", "--publish", "8080:3000", "--", "node", "-e", "console.log('begun')");
      expect([ended.code, ended.stdout]).toEqual([1, ""]);
      expect(ended.stderr).toContain("[proxy_listen]");
    });

    it.skipIf(!out)("has its way out again when pasta is killed, by a perchd that was killed, too", async () => {
      const [before] = await pasta(home);
      if (before === undefined) throw new Error("no pasta runs");
      const status = JSON.parse(succeeded(await at().perch("status", "--json"))) as { daemon: { pid: number } };
      process.kill(status.daemon.pid, "SIGKILL");
      succeeded(await at().perch("up"));
      expect(await at().node(get(`http://${stranger}/`))).toBe("the Internet");
      expect((await pasta(home)).map(({ pid }) => pid)).toEqual([before.pid]);
      process.kill(before.pid, "SIGKILL");
      const { answer } = await eventually("another pasta runs", async () =>
        (await pasta(home)).find(({ pid }) => pid !== before.pid),
      );
      expect(answer.pid).not.toBe(before.pid);
      expect(await at().node(get(`http://${stranger}/`))).toBe("the Internet");
    });

    it("leaves nothing behind with perch down", async () => {
      succeeded(await at().perch("down"));
      expect(await pasta(home)).toEqual([]);
    });
  }

  describe("of root", () => {
    const home = tempHome();
    let at: At;
    beforeAll(async () => {
      at = perchOf(home);
      succeeded(await at.perch("up"));
    });
    holds(() => at, home);

    it("is told once where there is no pasta, and works all the same", async () => {
      await at.perch("down");
      const without = perchOf(home, undefined, { PATH: pathWithout("pasta") });
      succeeded(await without.perch("up"));
      const first = await without.perch("run", "--", "true");
      expect([first.code, first.stderr]).toEqual([0, expect.stringContaining("pasta is not installed")]);
      expect((await without.perch("run", "--", "true")).stderr).toBe("");
      expect(await without.node(get(`http://${stranger}/`))).toMatch(/ENETUNREACH|EHOSTUNREACH/);
      const open = await without.begin(
        "run",
        "--publish",
        "18080:3000",
        "--",
        "node",
        "-e",
        serve(3000, "::", "published"),
      );
      await eventually("it listens", () => open.stdout().includes("listening"));
      expect(await visit(net.host, "http://127.0.0.1:18080/")).toBe("published");
      open.kill("SIGTERM");
      await open.ended;
      succeeded(await without.perch("down"));
    });
  });

  describe("of an ordinary user", () => {
    const user = ordinaryUser();
    const home = tempHome(user);
    let at: At;
    beforeAll(async () => {
      if (!canRead(user, repository))
        throw new Error(`${user.name} cannot read ${repository}; clone it where every user can`);
      at = perchOf(home, user);
      succeeded(await at.perch("up"));
    });
    holds(() => at, home, tunIsOpen());
  });
});

/** pasta makes an interface by it. Where no udev runs the kernel leaves it to root alone. */
const tunIsOpen = (): boolean => (statSync("/dev/net/tun", { throwIfNoEntry: false })?.mode ?? 0) % 8 >= 6;

/** A PATH of everything that is in PATH but one program. */
function pathWithout(name: string): string {
  const directory = join(temporaryDirectory(), "bin");
  mkdirSync(directory);
  for (const from of (process.env["PATH"] ?? "").split(delimiter).filter((path) => existsSync(path))) {
    for (const program of readdirSync(from, { withFileTypes: true })) {
      if (program.name === name || program.isDirectory()) continue;
      try {
        symlinkSync(join(from, program.name), join(directory, program.name));
      } catch {
        continue; // an earlier directory has it
      }
    }
  }
  return directory;
}
