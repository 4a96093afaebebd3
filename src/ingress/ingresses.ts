import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../errors/error.ts";
import { makeDirectory } from "../host/files/files.ts";
import { type DoorState, type DoorWish, type Keeper, keepDoor } from "./supervisor.ts";

/**
 * Every public door of a network, as a whole: those that are wanted are kept open, all others are shut, whoever opened
 * them.
 */
export interface Doors {
  /** App → its door. Returns at once; `state` waits. */
  set(wanted: ReadonlyMap<string, DoorWish>): void;
  /** As it is known without asking; `left`: found here, and nothing was said to it yet. */
  look(app: string): "open" | "left" | "closed";
  /** Those that are wanted and cannot be open, and why. */
  failed(): { app: string; why: string }[];
  /** As soon as what was set last is done, or cannot be for now. */
  state(app: string): Promise<DoorState>;
  /** A wrong password from that address; gives until when it is shut out now, if it is. */
  wrongPassword(app: string, address: string): Promise<number | undefined>;
  /** Asks each whether it answers; returns at once. */
  tend(): void;
  /** Shuts all. */
  stop(): Promise<void>;
}

export interface DoorsOptions {
  /** Where their control sockets lie. */
  directory: string;
  /** Undefined in portable mode. */
  prefix: string | undefined;
  /** argv that puts a program inside the namespace. */
  enter(): readonly string[];
  /** What a door needs of the namespace; twice is the same as once. */
  prepare(): Promise<void>;
  /** The namespace was just made: a door of before stands in one that is gone. */
  fresh: boolean;
  outputFd: number;
  say(app: string, sentence: string): void;
}

const suffix = ".sock";

export async function openDoors(options: DoorsOptions): Promise<Doors> {
  await makeDirectory(options.directory);
  const keepers = new Map<string, Keeper>();
  let stopped = false;
  const found = (await readdir(options.directory))
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length));
  for (const app of found) keepers.set(app, make(app));

  function make(app: string): Keeper {
    const { prefix, enter, prepare, outputFd } = options;
    const say = (sentence: string) => options.say(app, sentence);
    return keepDoor(
      { control: join(options.directory, `${app}${suffix}`), prefix, enter, prepare, outputFd, say },
      options.fresh,
    );
  }

  return {
    set(wanted) {
      if (stopped) return;
      for (const app of new Set([...keepers.keys(), ...wanted.keys()])) {
        const keeper = keepers.get(app) ?? make(app);
        keepers.set(app, keeper);
        void keeper.want(wanted.get(app));
      }
    },
    state: async (app) =>
      (await keepers.get(app)?.state()) ?? {
        state: "closed",
        error: fail("door_failed", { why: "it was not asked for" }),
      },
    tend() {
      // The next turn makes it, or its ingress says why it cannot listen.
      if (!stopped) void makeDirectory(options.directory).catch(() => undefined);
      for (const keeper of keepers.values()) void keeper.tend();
    },
    wrongPassword: async (app, address) => keepers.get(app)?.failed(address),
    look: (app) => keepers.get(app)?.look() ?? "closed",
    failed: () =>
      [...keepers].flatMap(([app, keeper]) => {
        const why = keeper.problem();
        return why === undefined ? [] : [{ app, why: why.message }];
      }),
    async stop() {
      stopped = true;
      await Promise.all(
        [...keepers.values()].map(async (keeper) => {
          await keeper.want(undefined);
          keeper.leave();
        }),
      );
    },
  };
}
