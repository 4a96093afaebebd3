import { chmod, rm, stat } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * perchd's own socket, which it listens at already. Where somebody took it away it is made again; those who speak
 * already are not disturbed.
 */
export interface ApiSocket {
  /** Gives whether it had to be made again. */
  tend(): Promise<boolean>;
}

/** `api` takes the connections. The store's lock says that no other perchd listens there. */
export async function keepApiSocket(
  path: string,
  api: { emit(event: "connection", socket: unknown): boolean },
): Promise<ApiSocket> {
  let inode = await inodeOf(path);
  return {
    async tend() {
      const now = await inodeOf(path);
      if (now !== undefined && now === inode) return false;
      await rm(path, { force: true });
      // As Node's own HTTP server has it: a caller that has said its last word hears the answer. The one before is not
      // closed, which would take this one's name away.
      const again = createServer(
        { allowHalfOpen: true, noDelay: true },
        (socket) => void api.emit("connection", socket),
      );
      again.listen(path);
      await once(again, "listening");
      await chmod(path, 0o600);
      inode = await inodeOf(path);
      return true;
    },
  };
}

const inodeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ ino }) => ino,
    () => undefined,
  );
