import type { Socket } from "node:net";

/**
 * Whether a client says something within the time; what it says stays unread. Of PostgreSQL it is the client who speaks
 * first.
 */
export function speaks(client: Socket, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), withinMs);
    const heard = () => {
      clearTimeout(timer);
      resolve(client.readableLength > 0);
    };
    client.once("readable", heard);
    client.once("close", heard);
  });
}
