import { type FSWatcher, watch } from "node:fs";
import { connect } from "node:net";

/**
 * Calls back when something directly in a directory, or the directory itself, appears, goes or gets another name. Gives
 * what ends it. A directory that is not there is not watched.
 */
export function watchDirectory(path: string, onChange: () => void): () => void {
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(path, { persistent: false }, (event) => {
      if (event === "rename") onChange();
    });
    watcher.on("error", () => watcher?.close());
  } catch {
    return () => undefined; // as it says above
  }
  return () => watcher.close();
}

/**
 * Calls back when whoever listens at a unix socket is gone, by a connection that says nothing. Gives what ends it.
 * Where nobody listens, it is not called. A process that closes such connections by itself would look dead.
 */
export function watchSocket(path: string, onGone: () => void): () => void {
  let connected = false;
  const socket = connect({ path });
  socket.on("connect", () => (connected = true));
  // There is the socket's file, and nobody behind it.
  socket.on("error", (error: NodeJS.ErrnoException) => (connected ||= error.code === "ECONNREFUSED"));
  socket.once("close", () => {
    if (connected) onGone();
  });
  socket.resume();
  return () => {
    connected = false;
    socket.destroy();
  };
}

/** Whether whoever listens at a unix socket answers anything at all to a line, within that time. */
export function answersLine(path: string, line: string, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const end = (answered: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    const timer = setTimeout(() => end(false), withinMs);
    socket.once("connect", () => socket.write(line));
    socket.once("data", () => end(true));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
  });
}
