import { createServer } from "node:net";

/** Whether nothing listens on this port of 127.0.0.1; and the port, chosen by the system where 0 is asked for. Undefined when it is taken. */
export function freePort(port = 0): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(undefined));
    server.listen({ host: "127.0.0.1", port }, () => {
      const address = server.address();
      const found = typeof address === "object" && address !== null ? address.port : undefined;
      server.close(() => resolve(found));
    });
  });
}
