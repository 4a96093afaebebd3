import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { startDaemon } from "../../../src/host/process/daemon.ts";
import { findHome } from "../../../src/host/system/home.ts";
import { awaitEnd, identify } from "../../../src/host/process/process.ts";

/** Programs of a line or two in place of perchd: what is tested is how one is started and listened to. */
const made: string[] = [];
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true });
});

function start(script: string, options: { signal?: AbortSignal; foreground?: boolean; portable?: boolean } = {}) {
  const root = join(mkdtempSync(join(tmpdir(), "perch-start-")), "home");
  made.push(join(root, ".."));
  const home = findHome({ PERCH_HOME: root });
  const heard: string[] = [];
  const all = {
    portable: false,
    foreground: false,
    signal: new AbortController().signal,
    ...options,
    onProgress: (sentence: string) => heard.push(sentence),
  };
  return { home, heard, started: startDaemon(home, all, ["sh", "-c", script]) };
}

describe("starting perchd", () => {
  it("hears its progress and resolves when it is ready; it lives on, and its stderr is its log", async () => {
    const { started, heard, home } = start(
      `echo '{"progress":"one"}'; echo '{"progress":"two"}'; echo noise; echo to the log >&2; echo '{"ready":true}'; exec sleep 30`,
    );
    const daemon = await started;
    expect(heard).toEqual(["one", "two"]);
    expect(readFileSync(home.log, "utf8")).toBe("to the log\n");
    expect(statSync(home.log).mode & 0o777).toBe(0o600);
    const identity = await identify(daemon.pid);
    if (identity === undefined) throw new Error("it does not live on");
    daemon.signal("SIGTERM");
    expect(await awaitEnd(identity, 5_000)).toBe(true);
    expect(await daemon.ended).toBe(143);
  });

  it("is told where its home is, and that it is to be portable", async () => {
    const script = `printf '{"progress":"%s %s"}\\n{"ready":true}\\n' "$PERCH_HOME" "$PERCH_PORTABLE"`;
    const { started, heard, home } = start(script, { portable: true });
    await started;
    expect(heard).toEqual([`${home.root} 1`]);
  });

  it("sees nothing of the caller's environment but what it needs, and may leave no core", async () => {
    process.env["PERCH_TOKEN"] = "somebody's token";
    const script = `printf '{"progress":"%s %s"}\\n{"ready":true}\\n' "\${PERCH_TOKEN-none}" "$(ulimit -c)"`;
    const { started, heard } = start(script);
    await started.finally(() => delete process.env["PERCH_TOKEN"]);
    expect(heard).toEqual(["none 0"]);
  });

  it("rejects with the error it reports", async () => {
    const { started } = start(`echo '{"error":{"code":"already_running","message":"m","next":"n"}}'; exit 1`);
    await expect(started).rejects.toMatchObject({ code: "already_running", message: "m" });
  });

  it("rejects with its exit code and its last words when it ends without one", async () => {
    const { started, home } = start(`echo 'TypeError: x is not a function' >&2; exit 3`);
    await expect(started).rejects.toMatchObject({
      code: "daemon_start_failed",
      message: "perchd did not start: it ended with exit code 3: TypeError: x is not a function",
      next: `Read the end of ${home.log}`,
    });
  });

  it("rejects when the program does not exist", async () => {
    const home = findHome({ PERCH_HOME: mkdtempSync(join(tmpdir(), "perch-start-")) });
    made.push(home.root);
    const options = {
      portable: false,
      foreground: false,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    };
    await expect(startDaemon(home, options, [join(home.root, "absent")])).rejects.toMatchObject({
      code: "daemon_start_failed",
    });
  });

  it("starts nothing when it was interrupted before", async () => {
    const { started, heard } = start(`echo '{"progress":"one"}'; exec sleep 30`, { signal: AbortSignal.abort() });
    await expect(started).rejects.toMatchObject({ code: "cancelled" });
    expect(heard).toEqual([]);
  });

  it("ends it when interrupted before it is ready", async () => {
    const stop = new AbortController();
    const { started, heard } = start(`echo '{"progress":"one"}'; exec sleep 30`, { signal: stop.signal });
    const ended = started.catch((error: unknown) => error);
    await expect.poll(() => heard).toEqual(["one"]);
    stop.abort();
    expect(await ended).toMatchObject({ code: "cancelled" });
  });
});
