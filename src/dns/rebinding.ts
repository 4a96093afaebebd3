import { headerBytes } from "./wire.ts";

/**
 * An answer from outside that leads inside: a name of somebody's own with an address of this network or of the machine
 * itself (DNS rebinding). Whoever trusts such a name reaches what it was not told of. Pure, and never throws; what
 * cannot be read to its end is looked at as far as it can.
 */
export function leadsInside(message: Buffer): boolean {
  if (message.length < headerBytes) return false;
  let at: number | undefined = headerBytes;
  for (let left = message.readUInt16BE(4); left > 0 && at !== undefined; left--)
    at = after(message, skipName(message, at), 4);
  let records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  for (; records > 0 && at !== undefined; records--) {
    const fixed = skipName(message, at);
    const data = after(message, fixed, 10);
    if (fixed === undefined || data === undefined) return false;
    const end = after(message, data, message.readUInt16BE(fixed + 8));
    if (end === undefined) return false;
    if (isInside(message.readUInt16BE(fixed), message.subarray(data, end))) return true;
    at = end;
  }
  return false;
}

const after = (message: Buffer, at: number | undefined, bytes: number): number | undefined =>
  at === undefined || at + bytes > message.length ? undefined : at + bytes;

function skipName(message: Buffer, start: number): number | undefined {
  for (let at = start; ;) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > 63) return undefined;
    at += 1 + length;
  }
}

/** A, AAAA, and the hints of SVCB and HTTPS. */
function isInside(type: number, data: Buffer): boolean {
  if (type === 1) return data.length === 4 && inside4(data);
  if (type === 28) return data.length === 16 && inside6(data);
  return (type === 64 || type === 65) && hintsInside(data);
}

/** Loopback, "this host", and link-local. */
const inside4 = (data: Buffer): boolean => data[0] === 127 || data[0] === 0 || (data[0] === 169 && data[1] === 254);

function inside6(data: Buffer): boolean {
  const high = data.readUInt16BE(0);
  if (high === 0xfdaa || (high & 0xffc0) === 0xfe80) return true;
  if (data.subarray(0, 10).some((byte) => byte !== 0)) return false;
  // ::, ::1 and ::a.b.c.d, and ::ffff:a.b.c.d
  const middle = data.readUInt16BE(10);
  return middle === 0 || (middle === 0xffff && inside4(data.subarray(12)));
}

function hintsInside(data: Buffer): boolean {
  const name = skipName(data, 2);
  for (let at = name; at !== undefined && at + 4 <= data.length;) {
    const [key, length] = [data.readUInt16BE(at), data.readUInt16BE(at + 2)];
    const size = key === 4 ? 4 : key === 6 ? 16 : undefined;
    const value = data.subarray(at + 4, at + 4 + length);
    if (size !== undefined)
      for (let from = 0; from + size <= value.length; from += size)
        if ((size === 4 ? inside4 : inside6)(value.subarray(from, from + size))) return true;
    at += 4 + length;
  }
  return false;
}
