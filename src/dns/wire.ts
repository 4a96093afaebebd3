import { parseAddress } from "../model/address.ts";
import { type Answer, type Question, rcodes, type Rcode, type Soa, typeNumbers, type ZoneRecord } from "./records.ts";
import { serverName } from "./resolvers.ts";

/**
 * Messages as bytes (RFC 1035). Written by hand rather than by dns-packet, for three things it does not do: the
 * question goes back byte for byte as it came, owner names are compressed (a third less to send, so that more machines
 * fit in 512 bytes), and nothing throws, whatever the bytes. The tests hold it against dns-packet.
 */

export interface Name {
  /** As in `Question`. */
  text: string;
  /** Where the bytes after it begin. */
  end: number;
}

export const headerBytes = 12;
export const flag = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
} as const;

const typesByNumber = new Map<number, Question["type"]>(
  Object.entries(typeNumbers).map(([name, number]) => [number, name as keyof typeof typeNumbers]),
);

/** The type of a question, from its number. */
export const typeOfNumber = (number: number): Question["type"] => typesByNumber.get(number) ?? "OTHER";

/** A name without compression, as it stands in a question; undefined where the bytes are none. */
export function readName(message: Buffer, start: number): Name | undefined {
  const labels: string[] = [];
  let at = start;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63 || at + 1 + length - start > 255) return undefined;
    at += 1 + length;
    if (at > message.length) return undefined;
    if (length === 0) return { text: labels.join("."), end: at };
    labels.push(message.toString("latin1", at - length, at).replace(/[^!-~]|[.\\]/g, escaped));
  }
}

const escaped = (character: string): string => `\\${character.charCodeAt(0).toString().padStart(3, "0")}`;

function nameBytes(name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.from(label, "latin1").subarray(0, 63));
  return Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)]);
}

/** TXT of any length: strings of 255 bytes at most, which readers put together again. */
function textBytes(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const strings = Array.from({ length: Math.max(1, Math.ceil(bytes.length / 255)) }, (_, i) =>
    bytes.subarray(i * 255, (i + 1) * 255),
  );
  return Buffer.concat(strings.flatMap((string) => [Buffer.of(string.length), string]));
}

function addressBytes(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  for (const [i, group] of (parseAddress(address) ?? []).entries()) bytes.writeUInt16BE(group, i * 2);
  return bytes;
}

/** Refresh, retry and expire are for secondary servers, of which there are none; the minimum is what counts. */
function soaBytes(soa: Soa): Buffer {
  const numbers = Buffer.alloc(20);
  for (const [i, value] of [soa.serial, 60, 60, 3600, soa.minimum].entries()) numbers.writeUInt32BE(value >>> 0, i * 4);
  return Buffer.concat([nameBytes(serverName), nameBytes("hostmaster.internal"), numbers]);
}

function dataBytes(record: ZoneRecord): Buffer {
  switch (record.type) {
    case "AAAA":
      return addressBytes(record.data);
    case "TXT":
      return textBytes(record.data);
    case "SOA":
      return soaBytes(record);
    case "PTR":
    case "NS":
      return nameBytes(record.data);
  }
}

function recordBytes(owner: Buffer, type: ZoneRecord["type"], seconds: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(typeNumbers[type], 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(seconds, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, fixed, data]);
}

/** A pointer to the question's name, which begins right after the header. */
const theQuestion = Buffer.of(0xc0, headerBytes);

export interface Reply {
  id: number;
  /** Flags of the header but for the code and the truncation. */
  flags: number;
  rcode: Rcode;
  /** The bytes of the question as it came; empty where it could not be read. */
  question: Buffer;
  answer?: Answer;
  /** The OPT record; empty where the asker sent none. */
  opt: Buffer;
  /** What fits, bytes. */
  limit: number;
}

/** As many whole answers as fit, in their order, and the truncation flag when some did not. */
export function encodeReply(reply: Reply): Buffer {
  const { records = [], soa } = reply.answer ?? {};
  const room = reply.limit - headerBytes - reply.question.length - reply.opt.length;
  const fitting = (all: readonly Buffer[]) => {
    let used = 0;
    return all.filter((record) => (used += record.length) <= room);
  };
  const ttl = soa?.minimum ?? 0;
  const all = records.map((record) => recordBytes(theQuestion, record.type, ttl, dataBytes(record)));
  const negative =
    soa !== undefined && all.length === 0 ? [recordBytes(nameBytes(soa.apex), "SOA", ttl, soaBytes(soa))] : [];
  const [answers, authority] = [fitting(all), fitting(negative)];
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(reply.id, 0);
  header.writeUInt16BE(
    reply.flags | flag.response | (answers.length < all.length ? flag.truncated : 0) | (rcodes[reply.rcode] & 15),
    2,
  );
  header.writeUInt16BE(reply.question.length === 0 ? 0 : 1, 4);
  header.writeUInt16BE(answers.length, 6);
  header.writeUInt16BE(authority.length, 8);
  header.writeUInt16BE(reply.opt.length === 0 ? 0 : 1, 10);
  return Buffer.concat([header, reply.question, ...answers, ...authority, reply.opt]);
}
