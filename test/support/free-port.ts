import { createSocket } from "node:dgram";
import { once } from "node:events";

/** A port that is free on ::1 for UDP and, most likely, TCP. */
export async function freePort(): Promise<number> {
  const socket = createSocket("udp6").bind(0, "::1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}
