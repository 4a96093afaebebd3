import type { Socket } from "node:net";

/** How long an end that has heard everything may take to be rid of what it was told last. */
const lingerMs = 10_000;

/**
 * Joins two connections, which must be half-open ones (`allowHalfOpen`): the end of one is the end of what the other is told, and it may go on telling. What was said
 * last still arrives; who breaks off breaks off the other. Back pressure is the streams' own: an end that reads slowly fills no memory here.
 */
export function join(a: Socket, b: Socket): void {
  a.pipe(b);
  b.pipe(a);
  follow(a, b);
  follow(b, a);
}

function follow(one: Socket, other: Socket): void {
  const gone = () => {
    if (one.readableEnded && !other.destroyed) other.setTimeout(lingerMs, () => other.destroy());
    else other.destroy();
  };
  one.on("error", () => undefined);
  if (one.destroyed) gone();
  else one.once("close", gone);
}
