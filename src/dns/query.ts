import { type Question, rcodes, type Rcode } from "./records.ts";
import { flag, headerBytes, readName, type Reply, typeOfNumber } from "./wire.ts";

/**
 * What a message asks, or why it cannot be answered. Reading never throws; EDNS (RFC 6891) is in here, because it says
 * how long an answer may be.
 */

export interface Query {
  id: number;
  flags: number;
  question: Question;
  /** The question as it came. */
  questionBytes: Buffer;
  edns: Edns | undefined;
}

export interface Edns {
  /** The longest UDP answer the asker takes. */
  size: number;
  version: number;
  dnssecOk: boolean;
}

/** `ignore`: no query at all, or nothing to send an answer to. `refuse`: answered with a code and no records. */
export type Reading = { kind: "ignore" } | { kind: "refuse"; reply: Reply } | { kind: "query"; query: Query };

/** No answer over UDP is longer, whatever the asker takes. */
export const longestUdp = 4096;
/** What we tell the other side to send at most: it passes every link without fragments. */
const ourSize = 1232;

const opcodeQuery = 0;
const classIn = 1;
const classAny = 255;
const typeOpt = 41;

export function readQuery(message: Buffer): Reading {
  if (message.length < headerBytes) return { kind: "ignore" };
  const head = message.readUInt16BE(2);
  if ((head & flag.response) !== 0) return { kind: "ignore" };
  const id = message.readUInt16BE(0);
  const opcode = (head >> 11) & 15;
  const flags = (head & (flag.recursionDesired | flag.checkingDisabled)) | flag.recursionAvailable | (opcode << 11);
  const refuse = (rcode: Rcode, question: Buffer = Buffer.alloc(0), edns?: Edns): Reading => ({
    kind: "refuse",
    reply: { id, flags, rcode, question, opt: optBytes(edns, rcode), limit: 512 },
  });
  if (opcode !== opcodeQuery) return refuse("NOTIMP");
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => message.readUInt16BE(at));
  if (questions !== 1 || answers !== 0 || authorities !== 0) return refuse("FORMERR");
  const name = readName(message, headerBytes);
  if (name === undefined || name.end + 4 > message.length) return refuse("FORMERR");
  const questionBytes = message.subarray(headerBytes, name.end + 4);
  const edns = readEdns(message, name.end + 4, additionals ?? 0);
  if (edns === "broken") return refuse("FORMERR", questionBytes);
  if (edns !== undefined && edns.version > 0) return refuse("BADVERS", questionBytes, edns);
  const asked = message.readUInt16BE(name.end + 2);
  if (asked !== classIn && asked !== classAny) return refuse("REFUSED", questionBytes, edns);
  const question: Question = { name: name.text, type: typeOfNumber(message.readUInt16BE(name.end)) };
  return { kind: "query", query: { id, flags, question, questionBytes, edns } };
}

/** The OPT record among the additional ones, of which there may be one. */
function readEdns(message: Buffer, start: number, count: number): Edns | undefined | "broken" {
  let at = start;
  let found: Edns | undefined;
  for (let i = 0; i < count; i++) {
    const name = readName(message, at);
    if (name === undefined || name.end + 10 > message.length) return "broken";
    const [type, size, ttl, length] = [
      message.readUInt16BE(name.end),
      message.readUInt16BE(name.end + 2),
      message.readUInt32BE(name.end + 4),
      message.readUInt16BE(name.end + 8),
    ];
    at = name.end + 10 + length;
    if (at > message.length) return "broken";
    if (type !== typeOpt) continue;
    if (found !== undefined || name.text !== "") return "broken";
    found = { size, version: (ttl >>> 16) & 255, dnssecOk: (ttl & 0x8000) !== 0 };
  }
  return found;
}

/** Our OPT record in answer to theirs: version 0, their DO flag, and the upper bits of the code. */
export function optBytes(edns: Edns | undefined, rcode: Rcode): Buffer {
  if (edns === undefined) return Buffer.alloc(0);
  const opt = Buffer.alloc(11);
  opt.writeUInt16BE(typeOpt, 1);
  opt.writeUInt16BE(ourSize, 3);
  opt.writeUInt8(rcodes[rcode] >> 4, 5);
  opt.writeUInt16BE(edns.dnssecOk ? 0x8000 : 0, 7);
  return opt;
}

/** Bytes an answer over UDP may have. */
export const udpLimit = (edns: Edns | undefined): number =>
  edns === undefined ? 512 : Math.min(Math.max(edns.size, 512), longestUdp);
