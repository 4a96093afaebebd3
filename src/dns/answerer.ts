import { optBytes, type Query, readQuery, udpLimit } from "./query.ts";
import type { Rcode } from "./records.ts";
import { encodeReply, flag } from "./wire.ts";
import { makeZone, type Zone } from "./zone.ts";
import type { ZoneData } from "./zone-data.ts";

/**
 * Bytes in, bytes out: what to say to a message. Answers from the zone are kept as bytes, keyed by the whole message
 * but its id, the asker's region and the transport; a repeated question then costs a look-up and a copy. A new zone is
 * a new, empty set of kept answers.
 */

export interface Asker {
  region: string | undefined;
  over: "udp" | "tcp";
  /** What is not ours does not exist for them. */
  inside?: boolean | undefined;
}

/** `undefined`: nothing is to be sent. `forward`: the name is not ours. */
export type Said = Buffer | { forward: Query } | undefined;

export interface Answerer {
  readonly zone: Zone;
  /** Swaps the whole zone. Throws, changing nothing, where it cannot be made. */
  set(data: ZoneData): Zone;
  say(message: Buffer, asker: Asker): Said;
  /** An answer without records, such as SERVFAIL for a name nobody else answers. */
  refuse(query: Query, rcode: Rcode): Buffer;
}

const keptAtMost = 10_000;
/** One name can be written in any number of ways and its answer be long, so the bytes are counted, too. */
const keptBytesAtMost = 8_388_608;
/** Longer messages are no ordinary questions and are not kept. */
const keyBytesAtMost = 300;

export function makeAnswerer(first: ZoneData): Answerer {
  let zone = makeZone(first, 1);
  let kept = new Map<Asker, Map<string, Buffer>>();
  let count = 0;
  let bytes = 0;

  function forget() {
    kept = new Map();
    [count, bytes] = [0, 0];
  }

  function keep(asker: Asker, key: string, reply: Buffer) {
    if (count >= keptAtMost || bytes + reply.length > keptBytesAtMost) forget();
    const answers = kept.get(asker) ?? new Map<string, Buffer>();
    kept.set(asker, answers.set(key, reply));
    count++;
    bytes += reply.length;
  }

  function fromZone(query: Query, asker: Asker): Buffer {
    const { id, question, questionBytes, edns } = query;
    const answer = zone.answer(question, asker.region);
    const limit = asker.over === "tcp" ? 65_535 : udpLimit(edns);
    return encodeReply({
      id,
      flags: query.flags | flag.authoritative,
      rcode: answer.rcode,
      question: questionBytes,
      answer,
      opt: optBytes(edns, answer.rcode),
      limit,
    });
  }

  const nowhere = ({ id, flags, questionBytes, edns }: Query): Buffer =>
    encodeReply({ id, flags, rcode: "NXDOMAIN", question: questionBytes, opt: optBytes(edns, "NXDOMAIN"), limit: 512 });

  return {
    get zone() {
      return zone;
    },
    set(data) {
      zone = makeZone(data, zone.serial + 1);
      forget();
      return zone;
    },
    say(message, asker) {
      const key = message.length > keyBytesAtMost ? "" : message.toString("latin1", 2);
      const known = kept.get(asker)?.get(key);
      if (known !== undefined && message.length >= 12) return withId(known, message);
      const reading = readQuery(message);
      if (reading.kind === "ignore") return undefined;
      if (reading.kind === "refuse") return encodeReply(reading.reply);
      if (!zone.holds(reading.query.question.name.toLowerCase()))
        return asker.inside === true ? nowhere(reading.query) : { forward: reading.query };
      const reply = fromZone(reading.query, asker);
      // Names that are not there are without number, so their answers are not kept.
      if (key !== "" && (reply.readUInt8(3) & 15) === 0) keep(asker, key, reply);
      return reply;
    },
    refuse: ({ id, flags, questionBytes, edns }, rcode) =>
      encodeReply({ id, flags, rcode, question: questionBytes, opt: optBytes(edns, rcode), limit: 512 }),
  };
}

/** A copy, for the socket may still be sending the last one. */
function withId(reply: Buffer, message: Buffer): Buffer {
  const copy = Buffer.allocUnsafe(reply.length);
  reply.copy(copy);
  copy[0] = message[0] ?? 0;
  copy[1] = message[1] ?? 0;
  return copy;
}
