import http from "node:http";
import https from "node:https";
import { begin } from "./connections.ts";
import { type Doers, summary } from "./deeds.ts";

const chunkBytes = 65_536;
const borneMs = 60_000;

export const body: Doers["body"] = async (wanted) => {
  const { head, chunked, megabytes } = wanted;
  const from = performance.now();
  const socket = begin(wanted.to, wanted.tls);
  const piece = Buffer.alloc(chunkBytes, "x");
  const whole = chunked
    ? Buffer.concat([Buffer.from(`${chunkBytes.toString(16)}\r\n`), piece, Buffer.from("\r\n")])
    : piece;
  let [answer, left] = ["", (megabytes * 2 ** 20) / chunkBytes];
  const over = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const timer = setTimeout(() => socket.destroy(), borneMs);
  socket.on("error", () => undefined);
  socket.on("data", (said: Buffer) => (answer = (answer + said.toString("latin1")).slice(0, 400)));
  const go = () => {
    while (left > 0 && socket.writable) {
      left -= 1;
      if (!socket.write(whole)) return;
    }
  };
  socket.on("drain", go);
  socket.once(wanted.tls === undefined ? "connect" : "secureConnect", () => {
    socket.write(head);
    go();
  });
  await over;
  clearTimeout(timer);
  return { sentMegabytes: Math.round(socket.bytesWritten / 2 ** 20), answer, ms: Math.round(performance.now() - from) };
};

export const requests: Doers["requests"] = async ({ to, tls: secure, path, headers, connections, fresh, ms }) => {
  const end = performance.now() + ms;
  const milliseconds: number[] = [];
  const statuses: Record<string, number> = {};
  let asked = 0;
  const agentOptions = { keepAlive: true, maxSockets: connections };
  const agent = fresh ? false : secure === undefined ? new http.Agent(agentOptions) : new https.Agent(agentOptions);
  const { path: socketPath, ...place } = to;
  const ask = () =>
    new Promise<string>((resolve) => {
      const options = {
        ...place,
        ...(socketPath === undefined ? {} : { socketPath }),
        ...secure,
        path,
        headers,
        agent,
      };
      const outgoing = (secure === undefined ? http : https).get(options, (response) => {
        response.on("error", () => resolve("cut"));
        response.resume().on("end", () => resolve(String(response.statusCode)));
      });
      outgoing.on("error", () => resolve("cut"));
    });
  const one = async () => {
    do {
      const since = performance.now();
      asked += 1;
      const status = await ask();
      if (status !== "cut") milliseconds.push(performance.now() - since);
      statuses[status] = (statuses[status] ?? 0) + 1;
    } while (performance.now() < end);
  };
  await Promise.all(Array.from({ length: connections }, one));
  if (agent !== false) agent.destroy();
  return { ...summary(milliseconds, asked), statuses };
};
