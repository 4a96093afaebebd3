import { createSocket } from "node:dgram";
import { once } from "node:events";
import { takeFrames, toFrame } from "../../src/dns/frame.ts";
import type { Choices } from "./choices.ts";
import { listening } from "./sockets.ts";

/**
 * A resolver of the host that answers as it is told: rightly, cut short, with another's id, with bytes of any kind
 * behind a right head, or not at all.
 */
export interface Upstream {
  port: number;
  /** What is said from now on. Gives whether a question gets an answer by it. */
  become(choices: Choices): boolean;
  close(): Promise<void>;
}

type Speaks = (question: Buffer, over: "udp" | "tcp") => Buffer | undefined;

/** The question with another head: flags and the numbers of records. */
function headed(question: Buffer, flags: number, counts: readonly number[], more: Uint8Array): Buffer {
  const answer = Buffer.concat([question, more]);
  answer.writeUInt16BE(flags, 2);
  for (const [at, count] of counts.entries()) answer.writeUInt16BE(count, 4 + 2 * at);
  return answer;
}

const record = Buffer.from("c00c0001000100000005000401020304", "hex");

export async function openUpstream(): Promise<Upstream> {
  let speaks: Speaks = () => undefined;
  const tcp = await listening((socket) => {
    let pending: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      const { frames, rest } = takeFrames(Buffer.concat([pending, chunk]));
      pending = rest;
      for (const frame of frames) {
        const said = speaks(frame, "tcp");
        if (said === undefined) socket.destroy();
        else socket.write(toFrame(said));
      }
    });
    socket.on("end", () => socket.end());
  });
  const udp = createSocket("udp4").bind(tcp.port, "127.0.0.1");
  await once(udp, "listening");
  udp.on("error", () => undefined);
  udp.on("message", (message, from) => {
    const said = speaks(message, "udp");
    if (said !== undefined) udp.send(said, from.port, from.address, () => undefined);
  });

  return {
    port: tcp.port,
    become(choices) {
      const junk = choices.take(choices.below(60));
      const long = Buffer.alloc(choices.pick([0, 600, 5_000, 60_000]), junk.length === 0 ? "x" : junk);
      const kinds: readonly [answers: boolean, speaks: Speaks][] = [
        [true, (question) => headed(question, 0x8180, [1, 1, 0, 0], record)],
        [true, (question) => headed(question, 0x8180, [1, 0xffff, 0xffff, 0xffff], junk)],
        [
          true,
          (question, over) =>
            over === "udp"
              ? headed(question, 0x8380, [1, 0, 0, 0], junk)
              : headed(question, 0x8180, [1, 1, 0, 0], long),
        ],
        // A server that could not read the question leaves it out.
        [
          true,
          (question, over) =>
            headed(
              question.subarray(0, 12),
              over === "udp" ? 0x8381 : 0x8181,
              [0, 0, 0, 0],
              over === "udp" ? junk : long,
            ),
        ],
        [false, (question) => headed(question, 0x0100, [1, 0, 0, 0], junk)],
        [
          false,
          (question) =>
            junk.length > 2
              ? junk
              : headed(Buffer.concat([Buffer.of(7, 7), question.subarray(2)]), 0x8180, [1, 0, 0, 0], record),
        ],
        [false, () => undefined],
      ];
      const [answers, said] = choices.pick(kinds);
      speaks = said;
      return answers;
    },
    async close() {
      udp.close();
      await tcp.close();
    },
  };
}
