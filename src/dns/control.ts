import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { within } from "../base/deadline.ts";
import { fail } from "../errors/error.ts";
import { readLines } from "./lines.ts";
import type { ZoneData } from "./zone-data.ts";

/** The name server as perchd holds it: a connection kept open, so that its closing tells at once that the process is gone. */
export interface NameServerClient {
  /** Replaces the whole zone; what is asked from then on meets the new one. */
  set(zone: ZoneData): Promise<{ serial: number }>;
  ping(): Promise<Pong>;
  /** Resolves when the process has let go of its sockets. */
  stop(): Promise<void>;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  close(): void;
}

export interface Pong {
  pid: number;
  version: string;
  serial: number;
  /** Messages received since it started. */
  queries: number;
}

const answerWithinMs = 3_000;
const longestLine = 65_536;

type Waiting = (answer: Record<string, unknown> | Error) => void;

/** Rejects with `name_server_lost` when nobody listens there. */
export async function connectNameServer(path: string): Promise<NameServerClient> {
  const socket = createConnection(path);
  const connected = await within(
    answerWithinMs,
    once(socket, "connect").catch((error: Error) => error.message),
  );
  if (!Array.isArray(connected)) {
    socket.destroy();
    throw fail("name_server_lost", { why: connected ?? "the control socket does not answer" });
  }
  return clientOn(socket);
}

function clientOn(socket: Socket): NameServerClient {
  // Answers come in the order of the questions.
  const waiting: Waiting[] = [];
  const closed = new Promise<void>((resolve) => {
    socket.on("close", () => {
      for (const each of waiting.splice(0)) each(new Error("the connection was closed"));
      resolve();
    });
  });
  socket.on("error", () => undefined);
  socket.on(
    "data",
    readLines(longestLine, (line) => (line === undefined ? void socket.destroy() : waiting.shift()?.(parsed(line)))),
  );

  async function request(body: object): Promise<Record<string, unknown>> {
    if (!socket.writable) throw fail("name_server_lost", { why: "the connection was closed" });
    const answered = new Promise<Record<string, unknown> | Error>((resolve) => waiting.push(resolve));
    socket.write(`${JSON.stringify(body)}\n`);
    const answer = (await within(answerWithinMs, answered)) ?? new Error(`no answer within ${answerWithinMs} ms`);
    if (answer instanceof Error) {
      // Later answers could no longer be told apart.
      socket.destroy();
      throw fail("name_server_lost", { why: answer.message }, answer);
    }
    if (typeof answer["error"] === "string") throw fail("internal", { why: `the name server refused: ${answer["error"]}` });
    return answer;
  }

  return {
    set: async (zone) => ({ serial: (await request({ set: zone }))["serial"] as number }),
    ping: async () => (await request({ ping: true })) as unknown as Pong,
    async stop() {
      await request({ stop: true });
      const gone = await within(
        answerWithinMs,
        closed.then(() => true),
      );
      if (gone === undefined) throw fail("name_server_lost", { why: "it does not stop" });
    },
    closed,
    close: () => void socket.destroy(),
  };
}

function parsed(line: string): Record<string, unknown> | Error {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch (error) {
    return error as Error;
  }
}
