/** From the words of a command line to the command they name. Pure: names come in, and the rest of the line goes out untouched. */

const nouns: Readonly<Record<string, string>> = {
  pg: "postgres",
  app: "apps",
  machines: "machine",
  m: "machine",
  secret: "secrets",
  regions: "platform regions",
  cert: "certs",
  networks: "network",
  wg: "wireguard",
  token: "tokens",
};
const verbs: Readonly<Record<string, string>> = { ls: "list", rm: "destroy", view: "show" };
const inner: Readonly<Record<string, string>> = { databases: "db", database: "db", user: "users" };

export type Found =
  | { kind: "command"; name: string; rest: readonly string[] }
  /** A noun, or nothing: help for what is below it. */
  | { kind: "group"; prefix: string; rest: readonly string[] }
  | { kind: "unknown"; word: string; prefix: string; similar: readonly string[] };

export function find(argv: readonly string[], names: readonly string[]): Found {
  const known = new Set(names);
  const path: string[] = [];
  for (let used = 0; ; used++) {
    const prefix = path.join(" ");
    if (known.has(prefix)) return { kind: "command", name: prefix, rest: argv.slice(used) };
    const word = argv[used];
    if (word === undefined || word.startsWith("-")) return { kind: "group", prefix, rest: argv.slice(used) };
    const words = below(prefix, names);
    const meant = [word, ...aliases(path, word)].find((candidate) => words.has(candidate.split(" ")[0] ?? ""));
    if (meant === undefined)
      return {
        kind: "unknown",
        word,
        prefix,
        similar: [...words].filter((other) => [other, ...aliasesOf(other)].some((spelled) => isSimilar(word, spelled))),
      };
    path.push(...meant.split(" "));
  }
}

/** The next words after a prefix, in the order of the list: nouns and verbs. */
export function below(prefix: string, names: readonly string[]): Set<string> {
  const start = prefix === "" ? "" : `${prefix} `;
  return new Set(names.filter((name) => name.startsWith(start)).map((name) => name.slice(start.length).split(" ")[0] ?? ""));
}

const aliases = (path: readonly string[], word: string): string[] => {
  const table = path.length === 0 ? nouns : { ...verbs, ...inner };
  const alias = Object.hasOwn(table, word) ? table[word] : undefined;
  return alias === undefined ? [] : [alias];
};

/** The other words for each word of a command's name: `postgres list` → `pg`, `ls`. */
export const aliasesOf = (word: string): string[] =>
  [...Object.entries(nouns), ...Object.entries(verbs), ...Object.entries(inner)].filter(([, meant]) => meant === word).map(([alias]) => alias);

/** One letter more, less, other or two swapped (Damerau), or a beginning of three letters. */
export function isSimilar(typed: string, word: string): boolean {
  if (typed.length >= 3 && word.startsWith(typed)) return true;
  if (Math.abs(typed.length - word.length) > 1) return false;
  let i = 0;
  while (i < typed.length && typed[i] === word[i]) i++;
  const after = (text: string, skip: number) => text.slice(i + skip);
  const swapped = typed[i] === word[i + 1] && typed[i + 1] === word[i] && after(typed, 2) === after(word, 2);
  return swapped || after(typed, 1) === after(word, 1) || after(typed, 1) === after(word, 0) || after(typed, 0) === after(word, 1);
}
