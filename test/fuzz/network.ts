import { appendFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, clientOf } from "../../src/client/client.ts";
import { findHome, type Home } from "../../src/host/system/home.ts";
import { perchIn, repository, succeeded } from "../support/perch.ts";
import { scratch } from "./sockets.ts";

/**
 * A network of its own for what is fuzzed over perchd's real sockets: an app `web` and a cluster `pg`, whose leader
 * must be the same process at the end.
 */
export interface Network {
  home: Home;
  client: Client;
  pid: number;
  /** Megabytes that perchd has in memory. */
  memory(): number;
  /** Open files of perchd, connections among them. */
  files(): number;
  /**
   * Rejects unless perchd is the same process and well, has said of no request that it failed, and the cluster is as it
   * was.
   */
  end(): Promise<void>;
}

export const networkTools = ["ip", "nft", "unshare", "nsenter"];

/** Megabytes that a process has in memory; 0 where the system does not tell. */
export function memoryOf(pid: number): number {
  const status = `/proc/${pid}/status`;
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(existsSync(status) ? readFileSync(status, "utf8") : "") ?? [];
  return Math.round(Number(kilobytes ?? 0) / 1024);
}

export async function openNetwork(coverage: string): Promise<Network> {
  const { path, remove } = scratch();
  const directory = process.env["PERCH_TEST_DIR"];
  if (directory !== undefined) appendFileSync(join(directory, "homes"), `${path}\n`);
  const perch = perchIn(path, { env: { NODE_V8_COVERAGE: coverage } }, join(repository, "dist-apart/cli/main.js"));
  const down = async () => {
    succeeded(await perch(["down"]));
    remove();
  };
  try {
    succeeded(await perch(["up"]));
    succeeded(await perch(["apps", "create", "web"]));
    succeeded(await perch(["postgres", "create", "--name", "pg", "--region", "ams"]));
  } catch (error) {
    await down();
    throw error;
  }
  const home = findHome({ PERCH_HOME: path });
  const client = clientOf(home);
  const seen = async () => {
    const { daemon, clusters } = await client.call("status", {});
    return {
      pid: daemon.pid,
      since: daemon.since,
      clusters: clusters.map(({ name, phase, members }) => ({
        name,
        phase,
        members: members.map(({ id, pid, state }) => ({ id, pid, state })),
      })),
    };
  };
  const before = await seen();
  const { pid } = before;
  return {
    home,
    client,
    pid,
    memory: () => memoryOf(pid),
    files: () => readdirSync(`/proc/${pid}/fd`).length,
    async end() {
      try {
        const after = await seen();
        if (JSON.stringify(after) !== JSON.stringify(before))
          throw new Error(`the network is another: ${JSON.stringify({ before, after })}`);
        const bad = readFileSync(home.log, "utf8")
          .split("\n")
          .find((line) => /"level":("error"|50)/.test(line));
        if (bad !== undefined) throw new Error(`perchd said: ${bad}`);
      } finally {
        await down();
      }
    },
  };
}
