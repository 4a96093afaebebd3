import type { Socket } from "node:net";

/** How long an end that takes nothing of what it was told last is waited for. */
const patienceMs = 10_000;
/** How long one that has been told everything may take to say that it ends, too. */
const lingerMs = 2_000;

/**
 * Joins two connections: the end of one is the end of what the other is told, and if that is a half-open one
 * (`allowHalfOpen`) it may go on telling. What was said last still arrives; who breaks off breaks off the other. Back
 * pressure is the streams' own: an end that reads slowly fills no memory here.
 */
export function join(a: Socket, b: Socket): void {
  a.pipe(b);
  b.pipe(a);
  follow(a, b);
  follow(b, a);
}

function follow(one: Socket, other: Socket): void {
  one.on("error", () => undefined);
  if (one.destroyed) gone(one, other);
  else one.once("close", () => gone(one, other));
}

function gone(one: Socket, other: Socket): void {
  if (!one.readableEnded || other.destroyed) {
    other.destroy();
    return;
  }
  const end = () => other.destroy();
  // Without its pipe nobody reads it: what it still says is for nobody, but that it ends must be heard.
  other.resume();
  other.setTimeout(patienceMs, end);
  const linger = () => {
    const timer = setTimeout(end, lingerMs);
    other.once("close", () => clearTimeout(timer));
  };
  if (other.writableFinished) linger();
  else other.once("finish", linger);
}
