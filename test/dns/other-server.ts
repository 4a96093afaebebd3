import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { decode, encode, type Packet, TRUNCATED_RESPONSE } from "dns-packet";
import { takeFrames, toFrame } from "../../src/dns/frame.ts";

/**
 * A small real name server on loopback, as the host's resolver: what it says is a function of what it is asked and how.
 */
export type Speaks = (question: Packet, over: "udp" | "tcp") => Packet | Buffer | undefined;

export interface OtherServer {
  port: number;
  /** What it was asked, in order: transport and name. */
  asked: string[];
  close(): void;
}

export async function otherServer(address: string, port: number, speaks: Speaks): Promise<OtherServer> {
  const asked: string[] = [];
  const say = (message: Buffer, over: "udp" | "tcp"): Buffer | undefined => {
    const question = decode(message);
    asked.push(`${over} ${question.questions?.[0]?.name}`);
    const said = speaks(question, over);
    return said === undefined || Buffer.isBuffer(said)
      ? said
      : encode({ id: question.id, type: "response", questions: question.questions, ...said });
  };
  const tcp: Server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      for (const frame of takeFrames(chunk).frames) {
        const said = say(frame, "tcp");
        if (said !== undefined) socket.write(toFrame(said));
      }
    });
  });
  const { udp, port: chosen } = await bindBoth(tcp, port, address);
  udp.on("message", (message, from) => {
    const said = say(message, "udp");
    if (said !== undefined) udp.send(said, from.port, from.address);
  });
  return {
    port: chosen,
    asked,
    close() {
      udp.close();
      tcp.close();
    },
  };
}

/** One port for both. Where the system chooses it, it knows of TCP only; somebody may have that of UDP. */
async function bindBoth(tcp: Server, wanted: number, address: string): Promise<{ udp: Socket; port: number }> {
  for (let left = 10; ; left--) {
    tcp.listen(wanted, address);
    await once(tcp, "listening");
    const { port } = tcp.address() as { port: number };
    const udp = createSocket(address.includes(":") ? "udp6" : "udp4").bind(port, address);
    try {
      await once(udp, "listening");
      return { udp, port };
    } catch (error) {
      udp.close();
      tcp.close();
      await once(tcp, "close");
      if (left === 0 || wanted !== 0) throw error;
    }
  }
}

/** Says one A record, and over UDP only that the answer is too long where the name begins with "long". */
export const ordinary: Speaks = (question, over) => {
  const name = question.questions?.[0]?.name ?? "";
  if (name.startsWith("long") && over === "udp") return { flags: TRUNCATED_RESPONSE };
  const count = name.startsWith("long") ? 60 : 1;
  return { answers: Array.from({ length: count }, (_, i) => ({ type: "A", name, ttl: 60, data: `192.0.2.${i + 1}` })) };
};
