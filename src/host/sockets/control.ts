import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { within } from "../../base/deadline.ts";
import { readLines } from "./lines.ts";

/**
 * The other end of `control-server.ts`: a connection kept open to a process of ours, so that its closing tells at once
 * that the process is gone.
 */
export interface Control {
  /** Answers come in the order of the questions. Rejects when there is none within the time, or it is an error. */
  request(body: object): Promise<Record<string, unknown>>;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  close(): void;
}

const answerWithinMs = 3_000;
const longestLine = 1_048_576;

type Waiting = (answer: Record<string, unknown> | Error) => void;

/** Rejects when nobody listens there. */
export async function connectControl(path: string): Promise<Control> {
  const socket = createConnection(path);
  const connected = await within(
    answerWithinMs,
    once(socket, "connect").catch((error: Error) => error.message),
  );
  if (Array.isArray(connected)) return controlOn(socket);
  socket.destroy();
  throw new Error(connected ?? "the control socket does not answer");
}

function controlOn(socket: Socket): Control {
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
  return {
    async request(body) {
      if (!socket.writable) throw new Error("the connection was closed");
      const answered = new Promise<Record<string, unknown> | Error>((resolve) => waiting.push(resolve));
      socket.write(`${JSON.stringify(body)}\n`);
      const answer = (await within(answerWithinMs, answered)) ?? new Error(`no answer within ${answerWithinMs} ms`);
      if (answer instanceof Error) {
        // Later answers could no longer be told apart.
        socket.destroy();
        throw answer;
      }
      if (typeof answer["error"] === "string") throw new Error(answer["error"]);
      return answer;
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
