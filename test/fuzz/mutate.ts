import type { Random } from "./random.ts";

/** One input made of others: a few changes, each of a kind that breaks readers. */

const bytesOfNote = [0, 1, 9, 10, 13, 31, 32, 34, 46, 47, 63, 64, 92, 127, 128, 191, 192, 193, 255];
const wordsOfNote = [0, 1, 12, 255, 256, 511, 512, 4096, 4097, 0x7fff, 0x8000, 0xc00c, 0xffff];

type Change = (input: Buffer, random: Random, others: readonly Buffer[], tokens: readonly string[]) => Buffer;

const splice = (input: Buffer, from: number, to: number, middle: Uint8Array): Buffer =>
  Buffer.concat([input.subarray(0, from), middle, input.subarray(to)]);

function range(input: Buffer, random: Random): [from: number, to: number] {
  const from = random.below(input.length + 1);
  return [from, Math.min(input.length, from + 1 + random.below(random.pick([2, 8, 64])))];
}

function put(input: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(input);
  copy[at] = value;
  return copy;
}

const changes: readonly Change[] = [
  (input, random) => put(input, random.below(input.length), random.below(256)),
  (input, random) => put(input, random.below(input.length), random.pick(bytesOfNote)),
  (input, random) => {
    const at = random.below(input.length);
    return put(input, at, (input[at] ?? 0) ^ (1 << random.below(8)));
  },
  (input, random) => {
    const at = random.below(input.length);
    return put(input, at, (input[at] ?? 0) + random.pick([-1, 1, 3, -3]));
  },
  (input, random) => {
    const word = Buffer.alloc(2);
    word.writeUInt16BE(random.pick(wordsOfNote));
    const at = random.below(input.length);
    return splice(input, at, at + 2, word);
  },
  (input, random) => splice(input, ...range(input, random), Buffer.alloc(0)),
  (input, random) => input.subarray(0, random.below(input.length + 1)),
  (input, random) => {
    const at = random.below(input.length + 1);
    return splice(input, at, at, random.bytes(1 + random.below(8)));
  },
  (input, random) => {
    const [from, to] = range(input, random);
    const times = random.pick([1, 1, 2, 20, 300]);
    return splice(input, to, to, Buffer.concat(Array.from({ length: times }, () => input.subarray(from, to))));
  },
  (input, random, others) => {
    const other = random.pick(others);
    return splice(input, ...range(input, random), other.subarray(...range(other, random)));
  },
  (input, random, others) => {
    const other = random.pick(others);
    return Buffer.concat([
      input.subarray(0, random.below(input.length + 1)),
      other.subarray(random.below(other.length + 1)),
    ]);
  },
  (input, random, _, tokens) => {
    const [from, to] = range(input, random);
    return tokens.length === 0
      ? input
      : splice(input, from, random.once(2) ? from : to, Buffer.from(random.pick(tokens)));
  },
];

export function mutate(random: Random, others: readonly Buffer[], tokens: readonly string[], longest: number): Buffer {
  // What was met last leads on most often.
  let input = random.once(40)
    ? random.bytes(random.below(200))
    : random.pick(random.once(2) ? others.slice(-5) : others);
  for (let count = 1 + random.below(random.pick([2, 4, 12])); count > 0; count--) {
    const change = random.pick(changes);
    input = change(input.length === 0 ? Buffer.of(0) : input, random, others, tokens).subarray(0, longest);
  }
  return input;
}
