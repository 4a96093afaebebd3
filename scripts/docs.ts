/**
 * The pages that are written from the code: docs/commands.md from the commands, docs/errors.md from the register,
 * docs/api.md from the routes, docs/dependencies.md from the lockfile, docs/clients/ from the examples.
 *
 *     npm run docs        writes them; test/house/docs.test.ts fails while they differ
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadAll } from "../src/cli/commands.ts";
import { perchVersion } from "../src/host/system/version.ts";
import { openApiDocument } from "../src/server/http/openapi.ts";
import { apiPage } from "./docs/api-page.ts";
import { clientsPages } from "./docs/clients-pages.ts";
import { commandsPage } from "./docs/commands-page.ts";
import { dependenciesPage } from "./docs/dependencies-page.ts";
import { errorsPage } from "./docs/errors-page.ts";

/** Path from the repository's root → text. */
export async function pages(): Promise<Record<string, string>> {
  return {
    "docs/commands.md": commandsPage(await loadAll()),
    "docs/errors.md": errorsPage(),
    "docs/dependencies.md": dependenciesPage(),
    "docs/api.md": apiPage(openApiDocument(perchVersion())),
    ...(await clientsPages()),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(new URL("../docs/clients", import.meta.url), { recursive: true });
  for (const [path, text] of Object.entries(await pages())) writeFileSync(new URL(`../${path}`, import.meta.url), text);
}
