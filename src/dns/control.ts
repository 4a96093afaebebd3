import { within } from "../base/deadline.ts";
import { fail } from "../errors/error.ts";
import { connectControl, type Control } from "../host/sockets/control.ts";
import type { ZoneData } from "./zone-data.ts";

/**
 * The name server as perchd holds it: a connection kept open, so that its closing tells at once that the process is
 * gone.
 */
export interface NameServerClient {
  /** Replaces the whole zone; what is asked from then on meets the new one. */
  set(zone: ZoneData): Promise<{ serial: number }>;
  ping(): Promise<Pong>;
  /** Begins to hand everything over to the name server that `argv` starts. */
  succeed(argv: readonly string[]): Promise<void>;
  /** Resolves when the process has let go of its sockets. */
  stop(): Promise<void>;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  close(): void;
}

export interface Pong {
  pid: number;
  version: string;
  serial: number;
  /** Messages received since it started. */
  queries: number;
  /** How it stands with one that is to take over; absent where a version before does not know of that. */
  succession?: "none" | "under way" | "done" | "failed";
}

const stopWithinMs = 3_000;

const lost = (error: unknown) =>
  fail("name_server_lost", { why: error instanceof Error ? error.message : String(error) }, error);

/** Rejects with `name_server_lost` when nobody listens there. */
export async function connectNameServer(path: string): Promise<NameServerClient> {
  const control: Control = await connectControl(path).catch((error: unknown) => {
    throw lost(error);
  });
  const request = (body: object) =>
    control.request(body).catch((error: unknown) => {
      throw lost(error);
    });
  return {
    set: async (zone) => ({ serial: (await request({ set: zone }))["serial"] as number }),
    ping: async () => (await request({ ping: true })) as unknown as Pong,
    succeed: async (argv) => void (await request({ succeed: argv })),
    async stop() {
      await request({ stop: true });
      const gone = await within(
        stopWithinMs,
        control.closed.then(() => true),
      );
      if (gone === undefined) throw fail("name_server_lost", { why: "it does not stop" });
    },
    closed: control.closed,
    close: () => control.close(),
  };
}
