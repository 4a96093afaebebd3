import { within } from "../base/deadline.ts";
import { fail } from "../errors/error.ts";
import { connectControl } from "../host/sockets/control.ts";
import type { Pong, Wish } from "./settings.ts";

/** A door as perchd holds it. */
export interface Door {
  ping(): Promise<Pong>;
  set(wish: Wish): Promise<void>;
  /** A wrong password from that address; gives until when it is shut out now, if it is. */
  failed(address: string): Promise<number | undefined>;
  /** Resolves when the process is gone, and every connection with it. */
  stop(): Promise<void>;
  readonly closed: Promise<void>;
}

const stopWithinMs = 3_000;

/** Rejects when no door is there. */
export async function connectDoor(path: string): Promise<Door> {
  const control = await connectControl(path);
  return {
    ping: async () => (await control.request({ ping: true })) as unknown as Pong,
    set: async (wish) => void (await control.request({ set: wish })),
    failed: async (address) => ((await control.request({ failed: address }))["until"] as number | null) ?? undefined,
    async stop() {
      await control.request({ stop: true });
      const gone = await within(
        stopWithinMs,
        control.closed.then(() => true),
      );
      if (gone === undefined) throw fail("door_failed", { why: "it does not stop" });
    },
    closed: control.closed,
  };
}
