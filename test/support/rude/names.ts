import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import packet from "dns-packet";
import { pause, within } from "../../../src/base/deadline.ts";
import { toFrame } from "../../../src/dns/frame.ts";
import { type Answered, type Deeds, type Doers, type Kind, summary } from "./deeds.ts";

const patienceMs = 1_000;
const stops: { udp?: AbortController; tcp?: AbortController } = {};

type Asking = Parameters<Deeds["names"]>[0];

async function open(host: string): Promise<Socket> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.on("error", () => undefined);
  socket.bind(0);
  await once(socket, "listening");
  return socket;
}

const question = (name: string, id: number): Buffer =>
  packet.encode({ type: "query", id, flags: packet.RECURSION_DESIRED, questions: [{ type: "AAAA", name }] });

/** A fresh one each: with a header that is one, for else nobody would look further. */
const messages: Record<Kind, () => Buffer> = {
  names: () => question(`${randomBytes(8).toString("hex")}.internal`, 1),
  big: () => Buffer.concat([question("pg.internal", 1), Buffer.alloc(60_000, "perch")]),
  malformed: () => {
    const message = Buffer.concat([question("pg.internal", 1), randomBytes(20)]);
    randomBytes(4).copy(message, 12);
    return message.subarray(0, 12 + ((randomBytes(1)[0] ?? 0) % 36));
  },
};

export const datagrams: Doers["datagrams"] = async ({ host, port, kind, sockets, ms }) => {
  const from = await Promise.all(Array.from({ length: sockets }, () => open(host)));
  const end = performance.now() + ms;
  let sent = 0;
  while (performance.now() < end) {
    for (const socket of from)
      for (let burst = 0; burst < 20; burst++, sent++) socket.send(messages[kind](), port, host, () => undefined);
    await setImmediate();
  }
  for (const socket of from) socket.close();
  return { sent };
};

async function byDatagram({ host, port, name, everyMs }: Asking, signal: AbortSignal): Promise<Answered> {
  const socket = await open(host);
  const asked = new Map<number, number>();
  const milliseconds: number[] = [];
  socket.on("message", (message) => {
    const id = message.readUInt16BE(0);
    const since = asked.get(id);
    if (since !== undefined && asked.delete(id)) milliseconds.push(performance.now() - since);
  });
  let count = 0;
  while (!signal.aborted) {
    const id = count++ % 65_536;
    asked.set(id, performance.now());
    socket.send(question(name, id), port, host, () => undefined);
    await pause(everyMs);
  }
  await pause(patienceMs);
  socket.close();
  return summary(milliseconds, count);
}

async function byConnection({ host, port, name, everyMs }: Asking, signal: AbortSignal): Promise<Answered> {
  const milliseconds: number[] = [];
  let count = 0;
  while (!signal.aborted) {
    count++;
    const since = performance.now();
    const socket = connect({ host, port });
    socket.on("error", () => undefined);
    socket.write(toFrame(question(name, 7)));
    socket.once("data", () => {
      milliseconds.push(performance.now() - since);
      socket.destroy();
    });
    await within(patienceMs, new Promise<void>((resolve) => socket.once("close", () => resolve())));
    socket.destroy();
    await pause(everyMs);
  }
  return summary(milliseconds, count);
}

export const names: Doers["names"] = (asking) => {
  const stopping = new AbortController();
  stops[asking.by] = stopping;
  return (asking.by === "udp" ? byDatagram : byConnection)(asking, stopping.signal);
};

export const stop: Doers["stop"] = ({ by }) => {
  stops[by]?.abort();
  return Promise.resolve({});
};
