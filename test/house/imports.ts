/**
 * Reads the imports of a TypeScript file from its text: enough for code without template tricks, and it says what it
 * found.
 */
export interface Import {
  readonly from: string;
  /** Whether only types come in. */
  readonly types: boolean;
}

const comments = /\/\*[\s\S]*?\*\/|(?<![:"'`])\/\/[^\n]*/g;
const statement = /^\s*(?:import|export)\s+(type\s+)?([^"';]*?)\s*from\s*["']([^"']+)["']/gm;
const bare = /^\s*import\s*["']([^"']+)["']/gm;
const dynamic = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

export function importsOf(text: string): Import[] {
  const code = text.replace(comments, "");
  const named = [...code.matchAll(statement)].map(([, type, what = "", from = ""]) => ({
    from,
    types: type !== undefined || onlyTypes(what),
  }));
  const effects = [...code.matchAll(bare), ...code.matchAll(dynamic)].map(([, from = ""]) => ({ from, types: false }));
  return [...named, ...effects];
}

/** `{ type A, type B }` */
function onlyTypes(what: string): boolean {
  const names = /^\{([\s\S]*)\}$/
    .exec(what.trim())?.[1]
    ?.split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith("type "));
}
