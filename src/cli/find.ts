import { habitOf, synonymOf } from "./habits.ts";

/**
 * From the words of a command line to the command they name. Pure: names come in, and the rest of the line goes out
 * untouched.
 */

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
  ps: "status",
  start: "up",
  stop: "down",
  psql: "postgres connect",
  ssh: "shell",
};
const verbs: Readonly<Record<string, string>> = { ls: "list", view: "show" };
/** Each of these means whatever takes the thing away: what that is called depends on the thing. */
const removals: ReadonlySet<string> = new Set(["rm", "delete", "remove", "destroy"]);
const removing: readonly string[] = ["destroy", "drop", "remove", "unset", "revoke"];
const inner: Readonly<Record<string, string>> = { databases: "db", database: "db", user: "users" };

export type Found =
  | { kind: "command"; name: string; rest: readonly string[] }
  /** A noun, or nothing: help for what is below it. */
  | { kind: "group"; prefix: string; rest: readonly string[] }
  /** `similar`: whole commands or nouns that may be meant. `instead`: how to do it here. */
  | { kind: "unknown"; word: string; prefix: string; similar: readonly string[]; instead?: string };

export function find(typed: readonly string[], names: readonly string[]): Found {
  const argv = synonymOf(typed) ?? typed;
  const known = new Set(names);
  const path: string[] = [];
  for (let used = 0; ; used++) {
    const prefix = path.join(" ");
    if (known.has(prefix)) return { kind: "command", name: prefix, rest: argv.slice(used) };
    const word = argv[used];
    if (word === undefined || word.startsWith("-")) return { kind: "group", prefix, rest: argv.slice(used) };
    const words = below(prefix, names);
    const meant = [word, ...aliases(path, word)].find((candidate) => words.has(candidate.split(" ")[0] ?? ""));
    if (meant === undefined && word === "help") return find([...path, ...argv.slice(used + 1), "--help"], names);
    if (meant === undefined) {
      const synonym = synonymOf([...path, ...argv.slice(used)]);
      if (synonym !== undefined) return find(synonym, names);
      const apart = /^[a-z][a-z-]*(:[a-z-]+)+$/.test(word) ? word.split(":") : [];
      // Heroku and Dokku join a noun and its verb: pg:psql.
      if (path.length === 0 && apart.length > 1) return find([...apart, ...argv.slice(used + 1)], names);
      const instead = habitOf([...path, ...argv.slice(used)]);
      return {
        kind: "unknown",
        word,
        prefix,
        similar: instead === undefined ? similarTo(word, prefix, names) : [],
        ...(instead && { instead }),
      };
    }
    // `fly ssh console` opens the shell that `ssh` alone opens.
    if (word === "ssh" && argv[used + 1] === "console") used++;
    path.push(...meant.split(" "));
  }
}

/** Spelled nearly so at this place; else what is called exactly so at another. */
function similarTo(typed: string, prefix: string, names: readonly string[]): string[] {
  const word = typed.toLowerCase();
  const at = prefix === "" ? 0 : prefix.split(" ").length;
  const here = [...below(prefix, names)].filter((other) =>
    [other, ...aliasesOf(other, at)].some((spelled) => spelled === word || isSimilar(word, spelled)),
  );
  if (here.length > 0) return here.map((other) => `${prefix} ${other}`.trim());
  return names.filter((name) => name.includes(" ") && name.split(" ").at(-1) === word);
}

/** The next words after a prefix, in the order of the list: nouns and verbs. */
export function below(prefix: string, names: readonly string[]): Set<string> {
  const start = prefix === "" ? "" : `${prefix} `;
  return new Set(
    names.filter((name) => name.startsWith(start)).map((name) => name.slice(start.length).split(" ")[0] ?? ""),
  );
}

const aliases = (path: readonly string[], word: string): string[] => {
  const table = path.length === 0 ? nouns : { ...verbs, ...inner };
  const alias = Object.hasOwn(table, word) ? table[word] : undefined;
  if (path.length > 0 && removals.has(word)) return [...removing];
  return alias === undefined ? [] : [alias];
};

/**
 * The other words for one word of a command's name, `at` its place there: `postgres list` → `pg` for the first, `ls`
 * for the second.
 */
export const aliasesOf = (word: string, at: number): string[] =>
  Object.entries(at === 0 ? nouns : { ...verbs, ...inner, ...(word === "destroy" ? { rm: word, delete: word } : {}) })
    .filter(([, meant]) => meant === word)
    .map(([alias]) => alias);

/**
 * One letter more, less, other or two swapped (Damerau), or a beginning of three letters; nothing is like what is
 * shorter.
 */
export function isSimilar(typed: string, word: string): boolean {
  // Of two letters, one of which is another, nothing can be told.
  if (typed.length < 3) return false;
  if (word.startsWith(typed)) return true;
  if (Math.abs(typed.length - word.length) > 1) return false;
  let i = 0;
  while (i < typed.length && typed[i] === word[i]) i++;
  const after = (text: string, skip: number) => text.slice(i + skip);
  const swapped = typed[i] === word[i + 1] && typed[i + 1] === word[i] && after(typed, 2) === after(word, 2);
  return (
    swapped ||
    after(typed, 1) === after(word, 1) ||
    after(typed, 1) === after(word, 0) ||
    after(typed, 0) === after(word, 1)
  );
}
