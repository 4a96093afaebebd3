import { rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Monitors, monitors } from "../../../src/cluster/monitor.ts";
import { signalProcess } from "../../../src/host/process/process.ts";
import type { Member } from "../../../src/postgres/instance/directory.ts";
import { find } from "../../../src/postgres/instance/postmaster.ts";
import { installed, newLeader, passwords } from "../../support/ground.ts";

/** What is said of a server that gives no session: its own words, or those of its socket. */
describe("the connection that is held open to a server", () => {
  let leader: Member;
  let held: Monitors;

  beforeAll(async () => {
    const [binaries] = await installed();
    if (binaries === undefined) throw new Error("there is no PostgreSQL");
    leader = await newLeader(binaries, "heard");
    held = monitors(() => undefined);
  });
  afterAll(() => held.close());

  const silence = async () => {
    await held.drop(leader.id);
    const session = await held.session(leader, passwords.superuser);
    return session === undefined ? held.silence(leader.id) : undefined;
  };

  it("has no reason while there is a session", async () => {
    expect(await silence()).toBeUndefined();
  });

  it("says that the server does not answer in time, where a signal stopped it", async () => {
    const postmaster = (await find(leader.layout))?.process;
    if (postmaster === undefined) throw new Error("it does not run");
    await signalProcess(postmaster, "SIGSTOP");
    try {
      expect(await silence()).toMatch(/within 1 s|timeout/);
    } finally {
      await signalProcess(postmaster, "SIGCONT");
    }
  });

  it("says what the system says of a socket that is not there", async () => {
    const socket = join(leader.layout.sockets, `.s.PGSQL.${leader.port}`);
    await rename(socket, `${socket}.away`);
    try {
      expect(await silence()).toMatch(/ENOENT/);
    } finally {
      await rename(`${socket}.away`, socket);
    }
    expect(await silence()).toBeUndefined();
  });
});
