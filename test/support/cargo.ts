import { homedir } from "node:os";
import { join } from "node:path";

/**
 * What Cargo is told in tests: compiled crates are kept where other languages keep theirs, outside the checkout and the
 * copies of an example, so that a second run compiles nothing but the program itself. A place has one program of a
 * name: tests beside each other that build another of that name have another place. Without what a debugger needs
 * crates take a third of the space.
 */
export const cargoEnvironment = (place: string): Record<string, string> => ({
  CARGO_TARGET_DIR: join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "perch-tests", "cargo", place),
  CARGO_PROFILE_DEV_DEBUG: "0",
});

/** Nothing of examples/rust is built without these. */
export const cargoTools = ["cargo", "pkg-config --exists openssl"] as const;
