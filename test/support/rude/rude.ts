import { spawn } from "node:child_process";
import { ourProgram } from "../../../src/host/process/program.ts";
import type { Deed, Deeds } from "./deeds.ts";

export interface Rude {
  do<D extends Deed>(deed: D, args: Parameters<Deeds[D]>[0]): Promise<ReturnType<Deeds[D]>>;
  end(): Promise<void>;
}

type Waiting = { resolve(result: never): void; reject(error: Error): void };

/** Starts a rude client where `enter` leads. Whoever starts it ends it. */
export function rudeClient(enter: readonly string[] = []): Rude {
  const [program = "", ...rest] = [...enter, ...ourProgram(import.meta.url, "main")];
  const child = spawn(program, rest, { stdio: ["ignore", "inherit", "inherit", "ipc"], serialization: "advanced" });
  const waiting = new Map<number, Waiting>();
  const closed = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let last = 0;
  child.on("message", (message) => {
    const { id, result, error } = message as { id: number; result: never; error?: string };
    const waits = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) waits?.resolve(result);
    else waits?.reject(new Error(error));
  });
  void closed.then(() => {
    for (const { reject } of waiting.values()) reject(new Error("the rude client is gone"));
  });
  return {
    do: (deed, args) =>
      new Promise((resolve, reject) => {
        waiting.set(++last, { resolve, reject });
        child.send({ id: last, deed, args });
      }),
    async end() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
