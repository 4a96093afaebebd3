import { examplesOwn } from "../../src/cli/recipes/own.ts";
import { readRecipe } from "../../src/cli/recipes/read.ts";
import { clients } from "../../src/cli/recipes/recipe.ts";
import { recipeText } from "../../src/cli/recipes/text.ts";

/** docs/clients/: what `perch postgres recipe` prints, for an app `web` on a cluster `pg`. Path → text. */
export async function clientsPages(): Promise<Record<string, string>> {
  return Object.fromEntries(
    await Promise.all(clients.map(async (client) => [`docs/clients/${client}.md`, await page(client)])),
  );
}

async function page(client: string): Promise<string> {
  const source = `Written by \`npm run docs\` from [the example](../../examples/${client}), which the tests run. In your own names: \`perch postgres recipe ${client} -a APP\`.`;
  return recipeText(await readRecipe(client), examplesOwn, { way: "inside" }).replace(
    "\n\n",
    () => `\n\n${source}\n\n`,
  );
}
