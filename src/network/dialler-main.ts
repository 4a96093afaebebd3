import { Resolver } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { pause } from "../base/deadline.ts";
import { giveUpRights } from "../host/process/rights.ts";
import { join } from "../host/sockets/join.ts";
import type { Dial, Failure, FromDialler, ToDialler } from "./dialler.ts";

/**
 * A program that runs inside the namespace and dials there for `perch proxy`. It is told where to, says how that went,
 * and is then given the caller's connection: from then on what is said passes through this process and no other, perchd
 * may end, and a long copy keeps nothing of perchd's waiting. It ends when nobody speaks to it any more and its last
 * connection is over.
 */

/**
 * A connection to a cluster without a leader waits in the kernel for eight seconds; a name without an answer is asked
 * for as long.
 */
const connectMs = 10_000;
const answerMs = 8_000;
const againMs = 100;
const switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: perch-proxy\r\n\r\n";

const dialled = new Map<number, Socket>();
const dropped = new Set<number>();
let open = 0;

const say = (message: FromDialler): void => {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
};

class Failed extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.why);
    this.failure = failure;
  }
}

async function resolve({ host, server }: Dial, patient: boolean): Promise<string[]> {
  if (server === undefined) return host === "localhost" ? ["127.0.0.1", "::1"] : [host];
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers([`[${server}]:53`]);
  for (const end = performance.now() + answerMs; ; await pause(againMs)) {
    try {
      return await resolver.resolve6(host);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOTFOUND") throw new Failed({ failed: "unknown", why: "there is no such name" });
      if (code !== "ENODATA") throw new Failed({ failed: "unreachable", why: `the name server: ${message}` });
      if (!patient || performance.now() > end)
        throw new Failed({ failed: "unreachable", why: "no machine that is well has that name" });
    }
  }
}

async function dial(to: Dial): Promise<Socket> {
  const reasons: string[] = [];
  for (const address of await resolve(to, true)) {
    const found = await connected(address, to.port);
    if (typeof found !== "string") return found;
    reasons.push(found);
  }
  throw new Failed({ failed: "unreachable", why: reasons[0] ?? "it has no address" });
}

/** The connection, or why there is none. */
function connected(host: string, port: number): Promise<Socket | string> {
  return new Promise((done) => {
    const socket = connect({
      host,
      port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    });
    const timer = setTimeout(() => socket.destroy(new Error("no answer")), connectMs);
    let why = "it was closed";
    socket.on("error", (error: NodeJS.ErrnoException) => {
      why = error.code === "ECONNREFUSED" ? "the connection was refused: nothing listens there" : error.message;
    });
    socket.once("connect", () => {
      clearTimeout(timer);
      done(socket);
    });
    socket.once("close", () => {
      clearTimeout(timer);
      done(why);
    });
  });
}

function take(id: number, client: Socket): void {
  const upstream = dialled.get(id);
  dialled.delete(id);
  client.on("error", () => undefined);
  if (upstream === undefined) return void client.destroy();
  client.allowHalfOpen = true;
  client.once("close", () => say({ id, over: true }));
  client.write(switched);
  join(client, upstream);
}

async function answer(message: ToDialler): Promise<void> {
  const { id } = message;
  if ("drop" in message) {
    if (!dialled.has(id)) dropped.add(id);
    dialled.get(id)?.destroy();
    dialled.delete(id);
    return;
  }
  try {
    if ("look" in message) return say({ id, addresses: await resolve(message.look, false) });
    if (!("dial" in message)) return;
    const socket = await dial(message.dial);
    open += 1;
    socket.once("close", () => {
      open -= 1;
      endIfAlone();
    });
    if (dropped.delete(id)) return void socket.destroy();
    dialled.set(id, socket);
    say({ id, dialled: true });
  } catch (error) {
    dropped.delete(id);
    say({
      id,
      ...(error instanceof Failed ? error.failure : { failed: "unreachable", why: (error as Error).message }),
    });
  }
}

function endIfAlone(): void {
  if (!process.connected && open === 0) process.exit(0);
}

process.on("message", (message: ToDialler, handle: unknown) => {
  if ("take" in message) take(message.id, handle as Socket);
  else void answer(message);
});
process.on("disconnect", () => {
  for (const socket of dialled.values()) socket.destroy();
  dialled.clear();
  endIfAlone();
});
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));
process.on("SIGHUP", () => undefined);
// Before the first message is heard: what a caller and a name server say is a stranger's.
giveUpRights();
