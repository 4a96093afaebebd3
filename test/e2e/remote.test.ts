import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { perchIn, type RunAs, startIn, succeeded } from "../support/perch.ts";
import { openRemote, type RemoteSide } from "../support/remote.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known } from "../support/traces.ts";
import { eventually, worldIn } from "../support/world.ts";

/** The other host is a second home on this one, where no perchd runs. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("perch on another host", () => {
  const world = worldIn();
  const elsewhere = temporaryDirectory();
  const perch = perchIn(elsewhere);
  let remote: RemoteSide;
  let token: string;
  const there = (words: string[], options: RunAs = {}) => perch(["--host", remote.name, ...words], options);
  const errorOf = (ended: { stderr: string }): string => /\[(\w+)\]/.exec(ended.stderr)?.[1] ?? ended.stderr;

  beforeAll(async () => {
    await world.ok("up");
    remote = await openRemote(world);
    token = await remote.token("laptop", "--scope", "admin");
  });

  it("needs a token, which comes by stdin and is kept for its owner alone", async () => {
    expect(errorOf(await there(["status"]))).toBe("not_logged_in");
    expect(errorOf(await perch(["login", remote.name], { input: "perch_nonsense" }))).toBe("token_malformed");
    const wrong = token.replace(/^perch_./, (begin) => (begin === "perch_-" ? "perch_x" : "perch_-"));
    expect(errorOf(await perch(["login", remote.name], { input: wrong }))).toBe("token_invalid");
    expect(errorOf(await there(["status"]))).toBe("not_logged_in");
    succeeded(await perch(["login", remote.name], { input: `${token}\n` }));
    expect(statSync(join(elsewhere, "logins")).mode & 0o777).toBe(0o700);
    expect(statSync(join(elsewhere, "logins", `${remote.name.replace(":", "_")}.json`)).mode & 0o777).toBe(0o600);
    expect(succeeded(await there(["status"]))).toContain(`state in ${world.root}`);
    expect(succeeded(await perch(["status"], { env: { PERCH_REMOTE: remote.name } }))).toContain(world.root);
    expect(errorOf(await perch(["status"]))).toBe("daemon_not_running");
  });

  it("does everything that needs no process of that host", async () => {
    succeeded(await there(["apps", "create", "web"]));
    const created = await there(["postgres", "create", "--name", "pg", "--region", "ams"]);
    expect(succeeded(created)).toContain("Postgres cluster pg created");
    expect(created.stderr).toContain("cluster pg is ready with 1 member.");
    succeeded(await there(["postgres", "attach", "pg", "--app", "web"]));
    succeeded(await there(["secrets", "import", "-a", "web"], { input: "KEY=correct horse battery" }));
    expect(succeeded(await there(["secrets", "list", "-a", "web"]))).toContain("DATABASE_URL");
    expect(succeeded(await there(["dig", "pg.internal"]))).toContain("fdaa:");
    expect(succeeded(await there(["events", "-n", "3"]))).toContain("secrets of web were set: KEY");
    const events = await world.json<{ sentence: string; actor?: string }[]>("events", "-n", "100");
    const whose = (sentence: RegExp) =>
      events.filter((event) => sentence.test(event.sentence)).map(({ actor }) => actor);
    expect(whose(/^app web was created|^secrets of web were set: KEY/)).toEqual(["token laptop", "token laptop"]);
    expect(whose(/^token laptop was made/)).toEqual([expect.stringMatching(/^uid \d+ \(.+\)/)]);
    expect(new Set(whose(/^make the leader|^attach|is wanted started/))).toEqual(new Set(["perch"]));
    expect(await world.ok("events", "-n", "100")).toMatch(/app web was created  \(by token laptop\)/);
    expect(JSON.parse(succeeded(await there(["tokens", "list", "--json"])))).toMatchObject([
      { name: "laptop", scope: "admin", app: null },
    ]);
    expect(await world.ok("run", "-a", "web", "--", "sh", "-c", "echo $KEY")).toBe("correct horse battery\n");
  });

  it.each([
    ["up"],
    ["down"],
    ["quickstart"],
    ["run", "-a", "web", "--", "env"],
    ["shell"],
    ["postgres", "connect", "-a", "pg"],
    ["network", "list"],
    ["network", "create", "blue"],
    ["tokens", "create", "other"],
    ["remote", "off"],
  ])("says that perch %s needs the machine itself", async (...words) => {
    const ended = await there(words.filter((word) => typeof word === "string"));
    expect([errorOf(ended), ended.code]).toEqual(["machine_only", 2]);
  });

  it("takes --host or --network, not both", async () => {
    expect(errorOf(await there(["status", "--network", "blue"]))).toBe("usage_invalid");
    expect(errorOf(await perch(["status", "--network", "default"], { env: { PERCH_REMOTE: remote.name } }))).toBe(
      "daemon_not_running",
    );
    expect(errorOf(await perch(["--host", "nowhere", "status"]))).toBe("remote_invalid");
    expect(errorOf(await perch(["--host", "127.0.0.1:1", "status"], { env: { PERCH_TOKEN: token } }))).toBe(
      "remote_unreachable",
    );
  });

  it("undoes what Ctrl-C interrupts, and hears of it", async () => {
    const creation = await startIn(elsewhere)([
      "--host",
      remote.name,
      "postgres",
      "create",
      "--name",
      "half",
      "--region",
      "ams",
    ]);
    await eventually("it is making the leader", () => creation.stderr().includes("make the leader"));
    creation.kill("SIGINT");
    const { code, stderr } = await creation.ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toContain("[cancelled]");
    expect((await world.status()).clusters.map(({ name }) => name)).toEqual(["pg"]);
  });

  it("stops at once, and undoes what is under way, when its token is revoked", async () => {
    const brief = await remote.token("brief", "--scope", "admin");
    const creation = await startIn(elsewhere)(
      ["--host", remote.name, "postgres", "create", "--name", "half", "--region", "ams"],
      {
        env: { PERCH_TOKEN: brief },
      },
    );
    await eventually("it is making the leader", () => creation.stderr().includes("make the leader"));
    await world.client.call("revokeToken", { params: { token: "brief" } });
    expect(errorOf(await creation.ended)).toBe("token_revoked");
    await eventually(
      "nothing of it is left",
      async () => (await world.status()).clusters.length === 1 && world.directories().length === 1,
    );
    expect(errorOf(await there(["status"], { env: { PERCH_TOKEN: brief } }))).toBe("token_invalid");
  });

  it("gives a token to the network that it is from, and to no other", async () => {
    const other = worldIn();
    await other.ok("up");
    const impostor = await openRemote(other);
    expect(errorOf(await perch(["--host", impostor.name, "status"], { env: { PERCH_TOKEN: token } }))).toBe(
      "remote_untrusted",
    );
    expect(errorOf(await perch(["login", impostor.name], { input: token }))).toBe("remote_untrusted");
    // The address that was logged in to leads to somebody else now.
    await world.ok("remote", "off");
    await other.ok("remote", "on", "--listen", remote.name);
    expect(errorOf(await there(["status"]))).toBe("remote_untrusted");
    expect(readFileSync(other.home.log, "utf8")).not.toContain("a request with a wrong token was refused");
    await other.ok("remote", "off");
    await other.ok("down");
    expect(errorOf(await there(["status"]))).toBe("remote_unreachable");
    await world.ok("remote", "on", "--listen", remote.name);
    succeeded(await there(["status"]));
  });

  it("gets in again when perchd was killed and is back, and not after remote off", async () => {
    await killHard([await known((await world.status()).daemon.pid)]);
    expect(errorOf(await there(["status"]))).toBe("remote_unreachable");
    await world.ok("up");
    succeeded(await there(["status"]));
    await world.ok("remote", "off");
    expect(errorOf(await there(["status"]))).toBe("remote_unreachable");
    await world.ok("down");
    await world.ok("up");
    expect(await world.ok("remote", "status")).toBe("The API is open to this host alone\n");
    await world.ok("remote", "on", "--listen", remote.name);
    succeeded(await there(["status"]));
  });

  it("is refused what cannot be listened on, and what was open stays open", async () => {
    expect((await world.error("remote", "on", "--listen", "192.0.2.1:6643")).code).toBe("listen_refused");
    expect((await world.error("remote", "on")).code).toBe("usage_invalid");
    expect((await world.error("remote", "on", "--listen", "localhost:6643")).code).toBe("listen_invalid");
    expect((await world.error("remote", "on", "--listen", remote.name, "--hostname", "web.internal")).code).toBe(
      "hostname_invalid",
    );
    succeeded(await there(["status"]));
  });

  it("leaves the token in no argument and no log, and the store has its hash alone", async () => {
    const following = await startIn(elsewhere)(["--host", remote.name, "events", "-f"]);
    await eventually("it follows", () => following.stdout().includes("cluster pg"));
    const argv = readFileSync(`/proc/${following.pid}/cmdline`, "utf8");
    following.kill("SIGTERM");
    await following.ended;
    const secret = token.split(".")[0] ?? "";
    expect(argv).toContain("--host");
    expect(argv).not.toContain(secret);
    for (const path of [world.home.log, world.home.store, `${world.home.store}-wal`])
      expect(readFileSync(path, "latin1"), path).not.toContain(secret);
    expect(await world.ok("events")).not.toContain(secret);
  });

  it("forgets its token when it logs out", async () => {
    succeeded(await perch(["logout", remote.name]));
    expect(errorOf(await there(["status"]))).toBe("not_logged_in");
    succeeded(await there(["status"], { env: { PERCH_TOKEN: token } }));
  });
});
