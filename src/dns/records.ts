/**
 * The records the zone answers with. Names are text without the last dot; the numbers of types and codes are the
 * wire's.
 */

export const typeNumbers = { A: 1, NS: 2, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, ANY: 255 } as const;
export const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const;

export type KnownType = keyof typeof typeNumbers;
export type Rcode = keyof typeof rcodes;

export interface Question {
  /** As asked, case kept; a byte that is no printable letter, and a dot within a label, as `\ddd`. */
  name: string;
  /** OTHER: a type that no name of ours has. */
  type: KnownType | "OTHER";
}

export interface Soa {
  apex: string;
  serial: number;
  /** Seconds that "there is no such name" may be kept. */
  minimum: number;
}

/** Every record is owned by the name that was asked. */
export type ZoneRecord =
  | { type: "AAAA"; data: string }
  | { type: "TXT"; data: string }
  | { type: "PTR"; data: string }
  | { type: "NS"; data: string }
  | ({ type: "SOA" } & Soa);

export interface Answer {
  rcode: "NOERROR" | "NXDOMAIN";
  records: ZoneRecord[];
  /** Of the zone the name is in; it is the authority of an answer without records. */
  soa: Soa;
}

/**
 * What there is to a name, whatever the type asked; a name without anything of its own has names below it, or might
 * have machines.
 */
export interface Outcome {
  known: true;
  aaaa?: readonly string[];
  /** One text of any length. */
  txt?: string;
  ptr?: string;
  /** Set at the top of a zone. */
  ns?: string;
}
