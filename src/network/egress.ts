import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "../base/deadline.ts";
import { run, startDetached } from "../host/process/command.ts";
import { findProgram, readText, writeWhole } from "../host/files/files.ts";
import type { Home } from "../host/system/home.ts";
import { type Place, serverUids } from "../host/process/place.ts";
import { endProcess, identify, isAlive, isSuspended, rouse } from "../host/process/process.ts";
import type { ProcessIdentity } from "../model/records.ts";
import type { Claim } from "./kernel/claims.ts";
import { outwardLink, outwardRules, pastaArgv } from "./egress-plan.ts";

/**
 * The way out as perchd keeps it: one for the whole network, opened when the first command runs in it, adopted by the
 * next perchd, gone with the network.
 */
export interface Outward {
  /**
   * Opens it where it is not. Gives why it is not open, in a sentence, once; undefined in all other cases. Never
   * rejects.
   */
  open(): Promise<string | undefined>;
  /** Opens it again where it was and its process is gone. */
  tend(): Promise<void>;
  /** What the kernel holds for it while it is open. */
  claims(): Claim[];
  stop(): Promise<void>;
}

const readyWithinMs = 5_000;

export function outward(home: Pick<Home, "runtime">, place: Place, say: (sentence: string) => void): Outward {
  const file = join(home.runtime, "outward.json");
  const log = join(home.runtime, "outward.log");
  let told = "";
  let wanted = false;
  let turn: Promise<void> | undefined;

  async function found(): Promise<ProcessIdentity | undefined> {
    const text = await readText(file);
    if (text === undefined) return undefined;
    const known = JSON.parse(text) as ProcessIdentity;
    return (await isAlive(known)) ? known : undefined;
  }

  const linkIsUp = async (): Promise<true | undefined> => {
    // Without the link there is no address: the way out is closed.
    const { stdout } = await run(place.tool(["ip", "-json", "address", "show", "dev", outwardLink])).catch(() => ({
      stdout: "[]",
    }));
    const [link] = JSON.parse(stdout.trim() === "" ? "[]" : stdout) as { addr_info?: { scope?: string }[] }[];
    return link?.addr_info?.some(({ scope }) => scope === "global") === true ? true : undefined;
  };

  /** Throws a sentence's end: why it cannot be had. */
  async function ensure(): Promise<void> {
    if ((await found()) !== undefined) return;
    const program = await findProgram("pasta");
    if (program === undefined) throw new Error("pasta is not installed (Debian and Ubuntu: apt-get install passt)");
    const joined = place.joined?.();
    if (joined === undefined) throw new Error("there is no namespace");
    await run(place.tool(["nft", "-f", "-"]), { input: outwardRules(serverUids(place)) });
    await rm(log, { force: true });
    const started = await startDetached(pastaArgv(program, joined, { root: place.mode === "root", log }), { cwd: "/" });
    const identity = await identify(started.pid);
    if (identity !== undefined) await writeWhole(file, JSON.stringify(identity));
    let over = false;
    void started.ended.then(() => (over = true));
    const up = await ask(() => (over ? false : linkIsUp()), { everyMs: 20, withinMs: readyWithinMs });
    if (up === true) return;
    if (identity !== undefined) await endProcess(identity, 500);
    throw new Error(
      `pasta does not work here: ${lastOf(await readText(log)) ?? (over ? "it ended" : "it gave the network no address")}`,
    );
  }

  /** Its interface is made by pasta alone, at its start. */
  async function openAgain(): Promise<void> {
    if ((await linkIsUp()) === true)
      return void (await run(place.tool(["nft", "-f", "-"]), { input: outwardRules(serverUids(place)) }));
    const running = await found();
    if (running !== undefined) await endProcess(running, 1_000);
    await once();
  }

  const once = (): Promise<void> => (turn ??= ensure().finally(() => (turn = undefined)));

  async function open(): Promise<string | undefined> {
    try {
      await once();
      wanted = true;
      told = "";
      return undefined;
    } catch (error) {
      const why = (error as Error).message;
      if (why === told) return undefined;
      told = why;
      say(`commands reach the private network and nothing else: ${why}`);
      return `Commands reach the private network and nothing else: ${why}`;
    }
  }

  return {
    open: async () => (place.mode === "portable" ? undefined : open()),
    async tend() {
      if (place.mode === "portable") return;
      wanted ||= (await readText(file)) !== undefined;
      const running = wanted ? await found() : undefined;
      if (running !== undefined && (await isSuspended(running)) && (await rouse(running)) === "stopped")
        say("pasta, the way out of the network, was stopped by a signal: it goes on");
      if (!wanted || running !== undefined) return;
      await open();
      if (told === "") say("the way out of the network was gone and is open again");
    },
    claims: () =>
      wanted && told === "" && place.mode !== "portable"
        ? [
            {
              name: "the way out of the network",
              ip: `link set ${outwardLink} up\n`,
              nft: outwardRules(serverUids(place)),
              set: openAgain,
            },
          ]
        : [],
    async stop() {
      wanted = false;
      // It is being stopped: what it failed at is of no use any more.
      await turn?.catch(() => undefined);
      const running = await found();
      if (running !== undefined) await endProcess(running, 1_000);
    },
  };
}

/** The last line of pasta's log, without the time before it. */
const lastOf = (text: string | undefined): string | undefined => {
  const line = text
    ?.trim()
    .split("\n")
    .at(-1)
    ?.replace(/^[\d.: ]*(?:(?:ERROR|WARNING|INFO):? *)?/, "");
  return line === "" ? undefined : line;
};
