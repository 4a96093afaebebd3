import { createRequire } from "node:module";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/**
 * argv of a program of ours that lies beside the calling module: `ourProgram(import.meta.url, "main")`. Built, that is
 * node and the `.js` file; from the source it is the `.ts` file with tsx as its loader. `flags` are node's.
 */
export function ourProgram(moduleUrl: string, name: string, flags: readonly string[] = []): string[] {
  const extension = extname(fileURLToPath(moduleUrl));
  const file = fileURLToPath(new URL(`${name}${extension}`, moduleUrl));
  if (extension === ".js") return [process.execPath, ...flags, file];
  return [process.execPath, ...flags, "--import", pathToFileURL(createRequire(moduleUrl).resolve("tsx")).href, file];
}
