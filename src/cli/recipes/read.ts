import { fileURLToPath } from "node:url";
import { fail } from "../../errors/error.ts";
import { readText } from "../../host/files/files.ts";
import { clients, type Recipe, recipes } from "./recipe.ts";

/**
 * A recipe with all its words, as the example has them: the app is `web`, the cluster `pg`, the variable DATABASE_URL.
 */
export interface Written {
  readonly client: string;
  readonly recipe: Recipe;
  readonly title: string;
  /** What is special about this client. */
  readonly about: string;
  readonly install: readonly string[];
  /** `perch …`: the app, its attachment, its runs. */
  readonly run: readonly string[];
  readonly notes: string;
  readonly files: readonly { path: string; text: string }[];
}

/** `examples/`, which lies three levels above both src/cli/recipes and dist/cli/recipes. */
const examples = new URL("../../../examples/", import.meta.url);

export async function readRecipe(client: string): Promise<Written> {
  const recipe = Object.hasOwn(recipes, client) ? recipes[client] : undefined;
  if (recipe === undefined) throw fail("recipe_unknown", { client: client.slice(0, 40), known: clients.join(", ") });
  const [readme, ...texts] = await Promise.all(
    ["README.md", ...recipe.files].map((path) => textOf(`${client}/${path}`)),
  );
  const { install, ...rest } = readmeParts(readme ?? "");
  const [withLock, without] = recipe.unlocked ?? ["", ""];
  return {
    client,
    recipe,
    ...rest,
    install: install.map((line) => (withLock === "" ? line : line.replace(withLock, without))),
    files: recipe.files.map((path, index) => ({ path, text: texts[index] ?? "" })),
  };
}

/** One sentence for the list. */
export const readTitle = async (client: string): Promise<string> =>
  readmeParts(await textOf(`${client}/README.md`)).title;

async function textOf(path: string): Promise<string> {
  const text = await readText(fileURLToPath(new URL(path, examples)));
  if (text === undefined) throw fail("internal", { why: `examples/${path} is missing from this installation` });
  return text;
}

/**
 * A README of `examples/`: title, words, one block of lines to type, words. Links lose their target, which lies beside
 * the README only. Pure.
 */
export function readmeParts(text: string): Pick<Written, "title" | "about" | "install" | "run" | "notes"> {
  const isTyped = (line: string) => line.startsWith("    ");
  const lines = text.replace(/\[([^\]]+)\]\([^)]+\)/g, "$1").split("\n");
  const [heading = "", ...body] = lines;
  const typed = body.filter(isTyped).map((line) => line.trim());
  const isPerch = (line: string) => line.startsWith("perch ");
  const first = body.findIndex(isTyped);
  const words = (part: readonly string[]) =>
    part
      .filter((line) => !isTyped(line))
      .join("\n")
      .trim();
  return {
    title: heading.replace(/^# /, ""),
    about: words(body.slice(0, first)),
    install: typed.filter((line) => !isPerch(line)),
    run: typed.filter(isPerch),
    notes: words(body.slice(first)),
  };
}
