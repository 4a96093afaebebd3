/** DER (X.690), as much of it as a certificate is made of: every function gives one tagged value. Pure. */

const tagged = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents);
  const bytes = content.length < 128 ? [] : hexBytes(content.length.toString(16));
  return Buffer.concat([Buffer.from(content.length < 128 ? [tag, content.length] : [tag, 0x80 | bytes.length, ...bytes]), content]);
};

const hexBytes = (hex: string): number[] => [...Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex")];

export const sequence = (...items: readonly Uint8Array[]): Buffer => tagged(0x30, ...items);
export const set = (...items: readonly Uint8Array[]): Buffer => tagged(0x31, ...items);
export const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]));
export const octets = (content: Uint8Array): Buffer => tagged(0x04, content);
export const bits = (content: Uint8Array, unused = 0): Buffer => tagged(0x03, Buffer.from([unused]), content);
export const text = (value: string): Buffer => tagged(0x0c, Buffer.from(value, "utf8"));
/** `[n]` around whole values. */
export const explicit = (n: number, ...items: readonly Uint8Array[]): Buffer => tagged(0xa0 | n, ...items);
/** `[n]` in place of a value's own tag. */
export const implicit = (n: number, content: Uint8Array): Buffer => tagged(0x80 | n, content);

/** An unsigned number, most significant byte first. */
export function integer(value: Uint8Array): Buffer {
  const from = value.findIndex((byte) => byte !== 0);
  const digits = from < 0 ? Buffer.from([0]) : Buffer.from(value.subarray(from));
  return (digits[0] ?? 0) >= 0x80 ? tagged(0x02, Buffer.from([0]), digits) : tagged(0x02, digits);
}

/** `"1.2.840.10045.4.3.2"` */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(arc: number): number[] {
  const digits = [arc & 0x7f];
  for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift(0x80 | (left & 0x7f));
  return digits;
}

/** To the second, in UTC: two digits of the year until 2049, as RFC 5280 wants it. */
export function time(at: Date): Buffer {
  const digits = `${at.toISOString().slice(0, 19).replace(/\D/g, "")}Z`;
  return at.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}
