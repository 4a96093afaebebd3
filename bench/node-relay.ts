/**
 * A TCP relay as one writes it in Node: every byte passes through this process. Arguments: host and port to listen on,
 * host and port to lead to.
 */
import { connect, createServer } from "node:net";

const [host = "::1", port = "0", targetHost = "", targetPort = "0"] = process.argv.slice(2);

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ host: targetHost, port: Number(targetPort), noDelay: true });
  client.pipe(upstream).pipe(client);
  client.on("error", () => upstream.destroy());
  upstream.on("error", () => client.destroy());
});
server.listen({ host, port: Number(port) });
