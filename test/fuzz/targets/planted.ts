import { built, type Target } from "../target.ts";

/**
 * Not one of the targets: a fault of our own making behind several branches, so that a fuzzer that finds nothing can be
 * told from one that cannot. From twelve zeros there are bytes to be met for a question, its class, and another record
 * behind it.
 */
export const planted: Target = {
  name: "planted",
  claim: "no question has another record behind it",
  covers: ["dns/wire", "dns/query"],
  seeds: [Buffer.alloc(12)],
  tokens: [],
  longest: 64,
  runs: 100_000,
  async open() {
    const { readQuery } = await built<typeof import("../../../src/dns/query.ts")>("dns/query");
    return {
      run(input) {
        const reading = readQuery(input);
        if (reading.kind === "query" && input.readUInt16BE(10) > 0)
          throw new Error("a question has another record behind it");
      },
    };
  },
};
