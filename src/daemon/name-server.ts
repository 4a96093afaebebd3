import type { Log } from "../base/log.ts";
import { pause } from "../base/deadline.ts";
import { connectNameServer, type NameServerClient } from "../dns/control.ts";
import { startNameServer, succeedNameServer } from "../dns/start.ts";
import type { ZoneData } from "../dns/zone-data.ts";

/** The network's name server as perchd keeps it: adopted where it runs, started where it does not, started again when it dies. */
export interface NameServer {
  set(zone: ZoneData): Promise<void>;
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
  let client = (await adopt(options)) ?? (await start());
  watch(client);

  function start(): Promise<NameServerClient> {
    return startNameServer(settingsOf(options, zone), 2);
  }

  function watch(current: NameServerClient): void {
    void current.closed.then(() => {
      if (!stopping) void restart();
    });
  }

  async function restart(): Promise<void> {
    for (let wait = 100; !stopping; wait = Math.min(wait * 2, 5_000)) {
      try {
        client = (await adopt({ ...options, fresh: false })) ?? (await start());
        await client.set(zone);
        watch(client);
        options.say("the name server was gone and is started again");
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
    async stop() {
      stopping = true;
      await client.stop().catch((error: unknown) => options.log.warn({ err: error }, "the name server did not stop by itself"));
    },
  };
}

const settingsOf = ({ control, enter, version }: NameServerOptions, zone: ZoneData) => ({ zone, control, enter: [...enter()], version });

/** The one that runs in this namespace, if it is of this version; of one of another version, the successor. */
async function adopt(options: NameServerOptions): Promise<NameServerClient | undefined> {
  const { control, version, fresh } = options;
  const found = await connectNameServer(control).catch(() => undefined);
  const pong = await found?.ping().catch(() => undefined);
  if (found === undefined || pong === undefined) return undefined;
  if (!fresh) {
    if (pong.version === version) return found;
    const successor = await succeedNameServer(found, settingsOf(options, options.zone)).catch((error: unknown) =>
      options.log.warn({ err: error }, "the name server could not hand over: it is started anew"),
    );
    if (successor !== undefined) {
      found.close();
      return successor;
    }
  }
  await found.stop().catch(() => undefined);
  return undefined;
}
