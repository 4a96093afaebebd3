import { notedProcess, noteProcess } from "../host/files/identity-file.ts";
import { endProcess, rouse } from "../host/process/process.ts";
import { fail, type PerchError, toPerchError } from "../errors/error.ts";
import { connectDoor, type Door } from "./control.ts";
import { generation, type Pong, type Wish } from "./settings.ts";
import { startDoor } from "./start.ts";

/** One door kept as it is wanted: adopted where it runs, opened where it does not, opened again when it dies. */
export interface DoorWish {
  listens: readonly string[];
  wish: Wish;
}

export type DoorState = ({ state: "open" } & Pong) | { state: "closed"; error: PerchError };

export interface KeeperOptions {
  control: string;
  prefix: string | undefined;
  enter(): readonly string[];
  /** What a door needs of the namespace, before it is opened. */
  prepare(): Promise<void>;
  outputFd: number;
  say(sentence: string): void;
}

export interface Keeper {
  /** Undefined: shut. Resolves when it is so, or cannot be for now. */
  want(wish: DoorWish | undefined): Promise<void>;
  state(): Promise<DoorState>;
  /** As it is known without asking; `left`: it is not known what was left here. */
  look(): "open" | "left" | "closed";
  /** Why it is not open though it is wanted; undefined where it is, or is being opened. */
  problem(): PerchError | undefined;
  /** Asks it for an answer: one that gives none is let go on, or replaced. */
  tend(): Promise<void>;
  failed(address: string): Promise<number | undefined>;
  /** Lets go of it without shutting it. */
  leave(): void;
}

const againMs = [200, 500, 1_000, 2_000, 5_000];

/** `fresh`: who answers at the control socket now stands in a namespace that is gone. */
export function keepDoor(options: KeeperOptions, fresh: boolean): Keeper {
  let wanted: DoorWish | undefined;
  let door: Door | undefined;
  let listens: readonly string[] = [];
  let told = "";
  let problem = fail("door_failed", { why: "it is still being opened" });
  let attempts = 0;
  /** What is there was adopted, or ended: until then it is as somebody left it. */
  let settled = false;
  let retry: NodeJS.Timeout | undefined;
  let left = false;
  let adoptable = !fresh;
  let turn: Promise<void> = Promise.resolve();
  const note = options.control.replace(/\.sock$/, ".json");
  const text = (value: unknown): string => JSON.stringify(value);

  async function settle(): Promise<void> {
    clearTimeout(retry);
    door ??= await adopt();
    settled = true;
    if (door !== undefined && text(listens) !== text(wanted?.listens)) await shut(door);
    if (wanted === undefined || left) return;
    if (door === undefined) await open(wanted);
    else if (told !== text(wanted.wish)) await door.set(wanted.wish);
    told = text(wanted.wish);
    attempts = 0;
  }

  const look = (): "open" | "left" | "closed" => (door !== undefined ? "open" : settled ? "closed" : "left");

  async function adopt(): Promise<Door | undefined> {
    // None may be there.
    let found = await connectDoor(options.control).catch(() => undefined);
    // One that does not answer is replaced.
    let pong = await found?.ping().catch(() => undefined);
    // Whoever cannot be asked has the ports that another would need.
    const noted = pong === undefined ? await notedProcess(note) : undefined;
    const was = noted === undefined ? "gone" : await rouse(noted);
    if (was === "stopped") {
      // It is not there yet: asked again.
      found = await connectDoor(options.control).catch(() => undefined);
      // It does not answer yet: asked again.
      pong = await found?.ping().catch(() => undefined);
      if (pong === undefined && noted !== undefined) await endProcess(noted, 0);
    }
    if (was !== "gone")
      options.say(
        `the public door did not answer: ${pong === undefined ? "it is opened again" : "a signal had stopped it, and it goes on"}`,
      );
    if (found === undefined || pong === undefined) return undefined;
    if (pong.generation !== generation || !adoptable) {
      // One that does not end in order is ended by its pid.
      await found.stop().catch(() => undefined);
      return undefined;
    }
    // Without the note it is asked for its pid.
    await noteProcess(note, pong.pid).catch(() => undefined);
    return hold(found, pong.listens, "");
  }

  async function open({ listens: at, wish }: DoorWish): Promise<void> {
    const { control, prefix } = options;
    await options.prepare();
    const opened = await startDoor(
      { control, listens: at, wish, ...(prefix === undefined ? {} : { prefix }) },
      options.enter(),
      options.outputFd,
    );
    hold(opened, at, text(wish));
    adoptable = true;
    // One that does not answer is looked at again.
    const pong = await opened.ping().catch(() => undefined);
    // Without the note it is asked for its pid.
    if (pong !== undefined) await noteProcess(note, pong.pid).catch(() => undefined);
  }

  function hold(found: Door, at: readonly string[], wish: string): Door {
    [door, listens, told] = [found, at, wish];
    void found.closed.then(() => {
      if (door !== found || left) return;
      door = undefined;
      if (wanted === undefined) return;
      void notedProcess(note).then((noted) => {
        if (noted === undefined) options.say("the public door was gone and is opened again");
        return again();
      });
    });
    return found;
  }

  async function shut(old: Door): Promise<void> {
    door = undefined;
    await old.stop();
  }

  function again(): Promise<void> {
    turn = turn.then(settle).catch((error: unknown) => {
      const known = toPerchError(error);
      if (known.message !== problem.message) options.say(`the public door is closed: ${known.message}`);
      problem = known;
      if (!left) retry = setTimeout(() => void again(), againMs[attempts++] ?? 5_000);
    });
    return turn;
  }

  return {
    want(wish) {
      wanted = wish;
      return again();
    },
    async state() {
      await turn;
      // One that does not answer is replaced.
      const pong = await door?.ping().catch(() => undefined);
      return pong === undefined ? { state: "closed", error: problem } : { state: "open", ...pong };
    },
    look,
    problem: () => (wanted !== undefined && attempts > 0 ? problem : undefined),
    async tend() {
      // No answer in time closes the connection, and then it is taken up again.
      await door?.ping().catch(() => undefined);
    },
    // An ingress that is gone counts no passwords.
    failed: async (address) => door?.failed(address).catch(() => undefined),
    leave() {
      left = true;
      clearTimeout(retry);
    },
  };
}
