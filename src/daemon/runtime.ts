import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { exists, readText, writeWhole } from "../host/files/files.ts";
import type { Home } from "../host/system/home.ts";
import type { ApiSocket } from "./api-socket.ts";
import { prepareRuntime } from "./prepare.ts";

/**
 * The runtime directory as perchd keeps it: where it is taken away it is made again, with perchd's socket the notes by
 * which processes are known, and what servers read.
 */
export function keepRuntime({ home, say }: { home: Home; say(sentence: string): void }): {
  tend(socket: ApiSocket): Promise<void>;
} {
  /** What the notes said when they were last seen. */
  let notes = new Map<string, string>();

  async function remember(): Promise<void> {
    const seen = new Map<string, string>();
    for (const name of await readdir(home.runtime)) {
      const text = /^([a-z]+\.(json|pid)|server-[a-z]+\.conf)$/.test(name)
        ? await readText(join(home.runtime, name))
        : undefined;
      if (text !== undefined) seen.set(name, text);
    }
    notes = seen;
  }

  return {
    async tend(socket) {
      const gone = !(await exists(home.runtime));
      if (gone) {
        await prepareRuntime(home);
        for (const [name, text] of notes)
          await writeWhole(join(home.runtime, name), text, { mode: name.endsWith(".conf") ? 0o644 : 0o600 });
      }
      const unheard = await socket.tend();
      if (gone) say(`the runtime directory ${home.runtime} was gone: it is made again, with perchd's socket`);
      else if (unheard) say(`perchd's socket ${home.socket} was gone: it is made again`);
      if (!gone) await remember();
    },
  };
}
