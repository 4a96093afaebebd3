import { build } from "./built.ts";

/** Builds `dist-apart/` before the fuzzers run, where a source file is newer than it. */
export const setup = (): Promise<void> => build("dist-apart", "--apart");
