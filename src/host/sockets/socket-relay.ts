import { chmod, mkdir } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { dirname, join as joinPath } from "node:path";
import { handOver, type Owner, removeTree } from "../files/files.ts";
import { join } from "./join.ts";

/** A unix socket that leads to another, for a user who may not come to that one. */
export interface Relay {
  /** A directory of our own, in one that is. */
  directory: string;
  /** The socket's name in it. */
  name: string;
  to: string;
  owner: Owner;
}

/** It is there while the work goes on; then every connection through it ends. */
export async function throughRelay<T>({ directory, name, to, owner }: Relay, work: () => Promise<T>): Promise<T> {
  await removeTree(directory); // one of a process that was killed
  for (const each of [dirname(directory), directory]) {
    await mkdir(each, { recursive: true, mode: 0o711 });
    await chmod(each, 0o711);
  }
  const open = new Set<{ destroy(): void }>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const other = createConnection({ path: to, allowHalfOpen: true });
    for (const one of [client, other]) {
      open.add(one);
      one.once("close", () => open.delete(one));
    }
    join(client, other);
  });
  try {
    const path = joinPath(directory, name);
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
    await chmod(path, 0o600);
    await handOver(path, owner);
    return await work();
  } finally {
    for (const one of open) one.destroy();
    server.close();
    await removeTree(directory);
  }
}
