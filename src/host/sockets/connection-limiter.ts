import type { Socket } from "node:net";
import type { Gate } from "./admission.ts";

/**
 * Those that a gate has let in, and who of them is a stranger: somebody who has not yet said who he is, or anything at
 * all. Where there are too many, the oldest stranger makes room, so that whoever says nothing keeps out nobody.
 */
export interface Crowd {
  /** Whether there is room for a connection of that source; it is counted until it is closed. */
  enter(socket: Socket, source: string): boolean;
  recognise(socket: Socket): void;
  /** Oldest first. */
  strangers(): Iterable<Socket>;
}

export function crowd(keeper: Gate): Crowd {
  const strangers = new Map<Socket, string>();
  const counted = new Map<Socket, string>();

  function leave(socket: Socket): void {
    strangers.delete(socket);
    const source = counted.get(socket);
    if (source === undefined) return;
    counted.delete(socket);
    keeper.left(source);
  }

  /** Of any source where none is given. */
  function makeRoom(of: string | undefined): boolean {
    for (const [socket, source] of strangers) {
      if (of !== undefined && source !== of) continue;
      leave(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  function admits(source: string): boolean {
    const refusal = keeper.admit(source);
    if (refusal === undefined) return true;
    if (refusal !== "full" && refusal !== "too many") return false;
    return makeRoom(refusal === "full" ? undefined : source) && keeper.admit(source) === undefined;
  }

  return {
    enter(socket, source) {
      if (socket.destroyed || !admits(source)) return false;
      strangers.set(socket, source);
      counted.set(socket, source);
      socket.once("close", () => leave(socket));
      return true;
    },
    recognise: (socket) => void strangers.delete(socket),
    strangers: () => strangers.keys(),
  };
}
