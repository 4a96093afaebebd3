import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { fail } from "../errors/error.ts";
import { startWithHandles } from "../host/sockets/handles.ts";
import { ourProgram } from "../host/process/program.ts";
import { parseListen } from "../model/exposure.ts";
import { connectDoor, type Door } from "./control.ts";
import type { Settings, Way } from "./settings.ts";

const readyWithinMs = 20_000;
/** A relay's garbage lives shortly. */
const flags = ["--max-semi-space-size=2"];

/**
 * Opens the listening sockets here, in the host's namespace, and starts the door's process inside with them. Rejects
 * with `listen_refused` or `door_failed`.
 */
export async function startDoor(settings: Settings, enter: readonly string[], outputFd: number): Promise<Door> {
  const servers: { message: { way: Way }; handle: Server }[] = [];
  try {
    for (const [index, listen] of settings.listens.entries())
      servers.push({ message: { way: index === 0 ? "leader" : "replicas" }, handle: await listenAt(listen) });
  } catch (error) {
    for (const { handle } of servers) handle.close();
    throw error;
  }
  try {
    const argv = [...enter, ...ourProgram(import.meta.url, "main", flags)];
    await startWithHandles(argv, { settings }, servers, { outputFd, timeoutMs: readyWithinMs });
    return await connectDoor(settings.control);
  } catch (error) {
    throw fail("door_failed", { why: error instanceof Error ? error.message : String(error) }, error);
  } finally {
    // Only when the program has answered: Node sends one after the other.
    for (const { handle } of servers) handle.close();
  }
}

/** Whether a door could listen there. Rejects with `listen_refused`. */
export async function tryListen(listen: string): Promise<void> {
  (await listenAt(listen)).close();
}

async function listenAt(listen: string): Promise<Server> {
  // Whoever comes before the door is open comes too early.
  const server = createServer((client) => client.destroy());
  try {
    server.listen({ ...parseListen(listen, "--listen"), backlog: 256 });
    await once(server, "listening");
    return server;
  } catch (error) {
    throw fail("listen_refused", { listen, why: reasonOf(error as NodeJS.ErrnoException) }, error);
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === "EADDRINUSE") return "another program listens on that port";
  if (code === "EACCES") return "a port below 1024 needs root";
  if (code === "EADDRNOTAVAIL") return "this host does not have that address";
  return message;
}
