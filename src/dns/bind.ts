import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Handle } from "../host/sockets/handles.ts";
import type { Binding } from "./sockets.ts";

/**
 * A program that runs inside the namespace just long enough to open the name server's sockets and hand them over. Its
 * one argument is the JSON of the bindings; it ends when the channel does. See `sockets.ts` for the other side.
 */

const send = (message: object, handle?: Handle): Promise<void> =>
  new Promise((resolve, reject) => {
    if (process.send === undefined) return reject(new Error("this program is started by the name server, over IPC"));
    process.send(message, handle, {}, (error) => (error === null ? resolve() : reject(error)));
  });

async function open(binding: Binding): Promise<void> {
  const { address, port, protocol } = binding;
  if (protocol === "udp") {
    const socket = createSocket({ type: address.includes(":") ? "udp6" : "udp4", ipv6Only: true });
    socket.bind(port, address);
    await once(socket, "listening");
    await send(binding, socket);
  } else {
    const server = createServer();
    server.listen(port, address);
    await once(server, "listening");
    await send(binding, server);
  }
}

process.on("disconnect", () => process.exit(0));

async function openAll(): Promise<void> {
  try {
    for (const binding of JSON.parse(process.argv[2] ?? "[]") as Binding[]) await open(binding);
    await send({ done: true });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`, () => process.exit(1));
  }
}

void openAll();
