/**
 * Fuzzing: bytes that nobody means well by, for everything that reads what others send. A target says what holds
 * whatever the bytes; `guided.ts` makes the bytes, `main.ts` is the command, `fuzz.test.ts` the short run of CI. What
 * runs is `dist-apart/`: what is shipped, each file by itself, so that its coverage can be told.
 */
export interface Target {
  name: string;
  /** What holds whatever the bytes, as the title of its test. */
  claim: string;
  /**
   * Modules of `dist-apart/` whose coverage is told, without `.js`; those of `node_modules/` lead the way and are not
   * counted.
   */
  covers: readonly string[];
  /** Inputs to begin with. */
  seeds: readonly Buffer[];
  /** Words to put in. */
  tokens: readonly string[];
  /** Bytes of an input at most. */
  longest: number;
  /** Programs it cannot do without. */
  needs?: readonly string[];
  /** Executions in CI. */
  runs: number;
  /** `coverageOf` is where a process of ours is to leave its coverage: the value of its NODE_V8_COVERAGE. */
  open(coverageOf: string): Promise<Opened>;
}

export interface Opened {
  /** Throws, or rejects, where the claim does not hold for this input. */
  run(input: Buffer): unknown;
  /** Asks what can only be asked at the end, and ends what was started; gives figures for the report. */
  close?(): Promise<Record<string, string | number>>;
  /** It has processes of its own, whose coverage is known only at the end. */
  elsewhere?: true;
}

/**
 * A module of `dist-apart/`, typed as its source: `await built<typeof import("../../src/dns/wire.ts")>("dns/wire")`.
 */
export const built = async <T>(module: string): Promise<T> =>
  (await import(new URL(`../../dist-apart/${module}.js`, import.meta.url).href)) as T;

export const texts = (...seeds: readonly string[]): Buffer[] => seeds.map((seed) => Buffer.from(seed));
