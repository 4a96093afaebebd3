import { readFileSync } from "node:fs";

/** The version of this Perch, from package.json, which lies two levels above both src/host and dist/host. */
export function perchVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}
