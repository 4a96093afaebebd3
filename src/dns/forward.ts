import { randomInt } from "node:crypto";
import { parseAddress } from "../model/address.ts";
import { type Query, udpLimit } from "./query.ts";
import { leadsInside } from "./rebinding.ts";
import { headerBytes } from "./wire.ts";
import { type Exchange, exchangeTcp, exchangeUdp, questionEnd, type Server } from "./upstream.ts";

/**
 * Names that are not ours, asked of the host's resolvers from the host's side: each in turn, twice round, beginning
 * with the one that answered last; over TCP when asked over TCP or when the answer does not fit. Nothing is kept: the
 * host's resolver does that.
 */

export interface Forwarder {
  /**
   * The answer with the asker's id, not above what he takes; undefined when nobody answers, or too much is under way,
   * in all or for that source.
   */
  forward(message: Buffer, query: Query, over: "udp" | "tcp", source: string): Promise<Buffer | undefined>;
}

export interface ForwardSettings {
  /** The host's resolvers now. */
  servers: () => Promise<readonly string[]>;
  /** The network's /48: no server in it is ever asked, because it would be ourselves. */
  prefix: string;
  port: number;
  /** Milliseconds to wait for one server. A client waits for some five seconds in all. */
  tryMs: number;
}

const atOnce = 256;
/** Of one source: whoever asks for what nobody answers leaves room for others. */
const atOnceOfOne = 128;
const rounds = 2;
const servfail = 2;
const refused = 5;

export function makeForwarder(settings: ForwardSettings): Forwarder {
  const underWay = new Map<number, string>();
  const bySource = new Map<string, number>();
  let lastGood: string | undefined;

  async function usable(): Promise<Server[]> {
    const own = parseAddress(`${settings.prefix}::`)?.slice(0, 3).join();
    const others = (await settings.servers()).filter((address) => parseAddress(address)?.slice(0, 3).join() !== own);
    const first = others.filter((address) => address === lastGood);
    return [...first, ...others.filter((address) => address !== lastGood)].map((address) => ({
      address,
      port: settings.port,
    }));
  }

  async function askAll(message: Buffer, over: "udp" | "tcp"): Promise<Buffer | undefined> {
    let failure: Buffer | undefined;
    const servers = await usable();
    for (let round = 0; round < rounds; round++) {
      for (const server of servers) {
        const answer = await askOne(message, server, over);
        if (answer === undefined) continue;
        const rcode = answer.readUInt8(3) & 15;
        if (rcode !== servfail && rcode !== refused) {
          lastGood = server.address;
          return answer;
        }
        failure = answer;
      }
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  async function askOne(message: Buffer, server: Server, over: "udp" | "tcp"): Promise<Buffer | undefined> {
    const ask = (exchange: Exchange) => exchange(message, server, settings.tryMs);
    if (over === "tcp") return ask(exchangeTcp);
    const answer = await ask(exchangeUdp);
    // Cut short: the whole by TCP, or the stump (which tells the client to try by itself).
    return answer !== undefined && (answer.readUInt8(2) & 2) !== 0 ? ((await ask(exchangeTcp)) ?? answer) : answer;
  }

  return {
    async forward(message, query, over, source) {
      // Our own question come back to us means that a host's resolver asks us: silence ends the circle.
      const key = query.questionBytes.toString("latin1");
      const ofSource = bySource.get(source) ?? 0;
      if (underWay.size >= atOnce || ofSource >= atOnceOfOne || underWay.get(query.id) === key) return undefined;
      const id = freshId(underWay);
      const ours = Buffer.from(message);
      ours.writeUInt16BE(id, 0);
      underWay.set(id, key);
      bySource.set(source, ofSource + 1);
      try {
        const answer = await askAll(ours, over);
        if (answer !== undefined && leadsInside(answer)) return refusal(answer, query);
        return answer === undefined
          ? undefined
          : fit(withId(answer, query.id), over === "tcp" ? 65_535 : udpLimit(query.edns));
      } finally {
        underWay.delete(id);
        const left = (bySource.get(source) ?? 1) - 1;
        if (left === 0) bySource.delete(source);
        else bySource.set(source, left);
      }
    },
  };
}

function freshId(taken: ReadonlyMap<number, string>): number {
  for (;;) {
    const id = randomInt(65_536);
    if (!taken.has(id)) return id;
  }
}

function withId(answer: Buffer, id: number): Buffer {
  answer.writeUInt16BE(id, 0);
  return answer;
}

/** The question alone, with the code that says no. */
function refusal(answer: Buffer, { id, questionBytes }: Query): Buffer {
  const head = withId(Buffer.from(answer.subarray(0, headerBytes)), id);
  head.writeUInt8((head.readUInt8(3) & 0xf0) | refused, 3);
  head.fill(0, 4, headerBytes);
  head.writeUInt16BE(1, 4);
  return Buffer.concat([head, questionBytes]);
}

/** The answer, or where it is too long its header and the question, if it has one, with the truncation flag. */
function fit(answer: Buffer, limit: number): Buffer {
  if (answer.length <= limit) return answer;
  const questions = Math.min(answer.readUInt16BE(4), 1);
  const stump = Buffer.from(answer.subarray(0, questions === 0 ? headerBytes : questionEnd(answer)));
  stump.writeUInt8(stump.readUInt8(2) | 2, 2);
  stump.fill(0, 4, headerBytes);
  stump.writeUInt16BE(questions, 4);
  return stump;
}
