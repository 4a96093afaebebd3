import { dirname, join } from "node:path";
import type { Log } from "../base/log.ts";
import { pause, within } from "../base/deadline.ts";
import { connectNameServer, type NameServerClient } from "../dns/control.ts";
import { startNameServer, succeedNameServer } from "../dns/start.ts";
import type { ZoneData } from "../dns/zone-data.ts";
import { notedProcess, noteProcess } from "../host/files/identity-file.ts";
import { endProcess, rouse } from "../host/process/process.ts";

/**
 * The network's name server as perchd keeps it: adopted where it runs, started where it does not, started again when it
 * dies.
 */
export interface NameServer {
  set(zone: ZoneData): Promise<void>;
  /** Asks it for an answer: one that gives none is let go on, or replaced. */
  tend(): Promise<void>;
  /** It does not answer just now, and is being set right. */
  silent(): Promise<boolean>;
  stop(): Promise<void>;
}

export interface NameServerOptions {
  control: string;
  version: string;
  /** argv that puts a program inside the namespace; asked for at each start. */
  enter(): readonly string[];
  /** What it serves until the first `set`. */
  zone: ZoneData;
  /** The namespace was just made: whoever answers at the control socket has its sockets in one that is gone. */
  fresh: boolean;
  log: Log;
  say(sentence: string): void;
}

export async function keepNameServer(options: NameServerOptions): Promise<NameServer> {
  let zone = options.zone;
  let stopping = false;
  let restarting = false;
  let client = (await adopt(options)) ?? (await start());
  await note(client);
  watch(client);

  async function start(): Promise<NameServerClient> {
    // One that nobody can speak to has the sockets that the new one needs.
    const left = await notedProcess(noteOf(options));
    if (left !== undefined) await endProcess(left, 1_000);
    return startNameServer(settingsOf(options, zone), 2);
  }

  /** So that it is known when it does not answer any more. On a full disk it is not. */
  async function note(current: NameServerClient): Promise<void> {
    // One that does not answer is looked at again.
    const pong = await current.ping().catch(() => undefined);
    if (pong !== undefined)
      await noteProcess(noteOf(options), pong.pid).catch((error: unknown) =>
        options.log.warn({ err: error }, "not noted"),
      );
  }

  function watch(current: NameServerClient): void {
    void current.closed.then(() => {
      if (!stopping) void restart();
    });
  }

  async function restart(): Promise<void> {
    restarting = true;
    await takeUp().finally(() => (restarting = false));
  }

  async function takeUp(): Promise<void> {
    const left = await notedProcess(noteOf(options));
    const was = left === undefined ? "gone" : (await answers(options.control)) ? "well" : await rouse(left);
    for (let wait = 100; !stopping; wait = Math.min(wait * 2, 5_000)) {
      try {
        client = (await adopt({ ...options, fresh: false })) ?? (await start());
        await client.set(zone);
        await note(client);
        watch(client);
        options.say(sentences[was]);
        return;
      } catch (error) {
        options.log.error({ err: error }, "the name server cannot be started");
        await pause(wait);
      }
    }
  }

  return {
    async set(next) {
      zone = next;
      await client.set(next);
    },
    async tend() {
      if (stopping || restarting) return;
      // No answer in time closes the connection, and then it is taken up again.
      await client.ping().catch(() => undefined);
    },
    silent: async () =>
      restarting ||
      (!stopping &&
        (await within(
          soonMs,
          // Only whether it answers counts.
          client.ping().catch(() => undefined),
        )) === undefined),
    async stop() {
      stopping = true;
      await client
        .stop()
        .catch((error: unknown) => options.log.warn({ err: error }, "the name server did not stop by itself"));
    },
  };
}

/** Whoever asks how it is does not wait until it is certain. */
const soonMs = 1_000;

const sentences = {
  gone: "the name server was gone and is started again",
  stopped: "the name server was stopped by a signal and did not answer: it goes on",
  hung: "the name server did not answer: it was ended, and another is started",
  well: "the name server was late to answer, and is asked again",
};

const noteOf = ({ control }: NameServerOptions): string => join(dirname(control), "nameserver.json");

async function answers(control: string): Promise<boolean> {
  // None may be there.
  const found = await connectNameServer(control).catch(() => undefined);
  // One that does not answer is replaced.
  const pong = await found?.ping().catch(() => undefined);
  found?.close();
  return pong !== undefined;
}

const settingsOf = ({ control, enter, version }: NameServerOptions, zone: ZoneData) => ({
  zone,
  control,
  enter: [...enter()],
  version,
});

/** The one that runs in this namespace, if it is of this version; of one of another version, the successor. */
async function adopt(options: NameServerOptions): Promise<NameServerClient | undefined> {
  const { control, version, fresh } = options;
  // None may be there.
  let found = await connectNameServer(control).catch(() => undefined);
  // One that does not answer is replaced.
  let pong = await found?.ping().catch(() => undefined);
  const silent = found !== undefined && pong === undefined ? await notedProcess(noteOf(options)) : undefined;
  if (silent !== undefined && (await rouse(silent)) === "stopped") {
    // It is not there yet: asked again.
    found = await connectNameServer(control).catch(() => undefined);
    // It does not answer yet: asked again.
    pong = await found?.ping().catch(() => undefined);
  }
  if (found === undefined || pong === undefined) return undefined;
  if (!fresh) {
    if (pong.version === version) return found;
    const successor = await succeedNameServer(found, settingsOf(options, options.zone)).catch((error: unknown) =>
      options.log.warn({ err: error }, "the name server could not hand over: a new one is started"),
    );
    if (successor !== undefined) {
      found.close();
      return successor;
    }
  }
  // One that does not end in order is ended by its pid.
  await found.stop().catch(() => undefined);
  return undefined;
}
