export interface Call {
  /** Aborts when the caller hangs up. */
  signal: AbortSignal;
  /** One sentence for whoever waits; goes nowhere on plain routes. */
  progress(sentence: string): void;
  /** The caller has a token, and no right to this host. */
  readonly elsewhere: boolean;
}

/** A handler, whatever its route. */
export type AnyHandler = (
  input: { params: unknown; query: unknown; body: unknown },
  call: Call,
) => Promise<unknown> | AsyncIterable<unknown>;
