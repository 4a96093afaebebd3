import type { Socket } from "node:net";
import { fail, type PerchError } from "../errors/error.ts";
import { type Companion, startCompanion } from "../host/process/companion.ts";
import { identify, isSuspended, rouse } from "../host/process/process.ts";
import { ourProgram } from "../host/process/program.ts";

/**
 * Dialling inside the namespace, from outside of it: through one program (`dialler-main.ts`) that is started when it is
 * needed and left when it is not.
 */
export interface Dial {
  /** A name of the network, an address or `localhost`. */
  host: string;
  port: number;
  /** The resolver to ask for the name; absent where `host` is none. */
  server?: string;
}

export type Failure = { failed: "unknown" | "unreachable"; why: string };
export type ToDialler = { id: number } & ({ dial: Dial } | { look: Dial } | { take: true } | { drop: true });
export type FromDialler = { id: number } & ({ dialled: true } | { addresses: string[] } | Failure | { over: true });

export interface Dialler {
  /** The addresses that would be dialled. Rejects with `target_unknown` or `target_unreachable`. */
  look(to: Dial): Promise<string[]>;
  /**
   * Dials; resolves when that has answered, and `take` then joins the caller's connection to it. Rejects as `look`
   * does.
   */
  dial(to: Dial): Promise<{ take(client: Socket): void; drop(): void }>;
  /** The program goes on where a signal stopped it, and is ended where it does not answer. */
  tend(): Promise<void>;
  /** Ends what is under way, too. */
  stop(): Promise<void>;
}

type Answer = Exclude<FromDialler, { over: true }>;

const idleMs = 30_000;
/** A name is asked for during eight seconds, an address dialled for ten, and a name may have several. */
const answerMs = 60_000;
/** A relay's garbage lives shortly. */
const flags = ["--max-semi-space-size=2"];

/** `enter` is asked for the argv that leads inside whenever the program is started. */
export function openDialler(enter: () => readonly string[]): Dialler {
  const waiting = new Map<number, (answer: Answer | PerchError) => void>();
  const open = new Set<number>();
  /** When what waits for an answer was asked. */
  const asked = new Map<number, number>();
  let last = 0;
  let companion: Promise<Companion> | undefined;
  let idle: NodeJS.Timeout | undefined;

  function hear(message: FromDialler): void {
    if ("over" in message) {
      open.delete(message.id);
      rest();
    } else {
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
    }
  }

  async function start(): Promise<Companion> {
    const argv = [...enter(), ...ourProgram(import.meta.url, "dialler-main", flags)];
    const started = await startCompanion(argv, (message) => hear(message as FromDialler));
    void started.closed.then((why) => gone(started, why));
    return started;
  }

  async function gone(which: Companion, why: string): Promise<void> {
    // The call that started it heard why it did not start.
    if ((await companion?.catch(() => undefined)) !== which) return;
    companion = undefined;
    open.clear();
    for (const [id, each] of waiting) {
      waiting.delete(id);
      each(fail("internal", { why: `the program that dials inside the network is gone: ${why}` }));
    }
  }

  /** Left alone for a while, it goes. */
  function rest(): void {
    clearTimeout(idle);
    if (open.size + waiting.size > 0) return;
    idle = setTimeout(() => void leave(), idleMs);
    idle.unref();
  }

  async function leave(): Promise<void> {
    const left = companion;
    companion = undefined;
    // The call that started it heard why it did not start.
    (await left?.catch(() => undefined))?.leave();
  }

  async function ask(
    to: Dial,
    message: { dial: Dial } | { look: Dial },
  ): Promise<{ id: number; answer: Answer; to: Companion }> {
    clearTimeout(idle);
    const id = ++last;
    const answered = new Promise<Answer | PerchError>((resolve) => waiting.set(id, resolve));
    asked.set(id, performance.now());
    companion ??= start();
    const current = companion;
    try {
      const started = await current;
      started.send({ id, ...message } satisfies ToDialler);
      const answer = await answered;
      asked.delete(id);
      if (answer instanceof Error) throw answer;
      if (!("failed" in answer)) return { id, answer, to: started };
      const target = `${to.host.includes(":") ? `[${to.host}]` : to.host}:${to.port}`;
      throw answer.failed === "unknown"
        ? fail("target_unknown", { name: to.host })
        : fail("target_unreachable", { target, why: answer.why });
    } catch (error) {
      asked.delete(id);
      waiting.delete(id);
      // The call that started it heard why it did not start.
      if (companion === current && !open.size && (await current.catch(() => undefined)) === undefined)
        companion = undefined;
      rest();
      throw error;
    }
  }

  return {
    async look(to) {
      const { answer } = await ask(to, { look: to });
      rest();
      return "addresses" in answer ? answer.addresses : [];
    },
    async dial(to) {
      const { id, to: inside } = await ask(to, { dial: to });
      open.add(id);
      return {
        take: (client) => inside.send({ id, take: true } satisfies ToDialler, client),
        drop() {
          inside.send({ id, drop: true } satisfies ToDialler);
          open.delete(id);
          rest();
        },
      };
    },
    async tend() {
      // The call that started it heard why it did not start.
      const pid = (await companion?.catch(() => undefined))?.pid;
      const identity = pid === undefined ? undefined : await identify(pid);
      if (identity === undefined) return;
      const late = [...asked.values()].some((at) => performance.now() - at > answerMs);
      if (late || (await isSuspended(identity))) await rouse(identity);
    },
    async stop() {
      clearTimeout(idle);
      // The call that started it heard why it did not start.
      const started = await companion?.catch(() => undefined);
      companion = undefined;
      started?.kill();
      await started?.closed;
    },
  };
}
