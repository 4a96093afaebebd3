import type { Written } from "./read.ts";

/** The names of an app that a recipe is written for, in place of those of the examples. */
export interface Own {
  readonly app: string;
  readonly cluster: string;
  readonly variable: string;
  /** The value of the variable, its password masked. */
  readonly url: string;
  /** Present where the URL leads through a pooler. */
  readonly pool?: { readonly preparedStatements: boolean };
  /** How much of the way is gone: nothing, the app is there, it is attached. */
  readonly state: "nothing" | "app" | "attached";
  readonly primaryRegion: string;
  /** The regions of the members, the leader's first; undefined where no cluster was asked. */
  readonly regions?: readonly string[];
  /** The leader's machine, where it is known. */
  readonly leader?: string;
}

/** From where the program connects: from inside the network; over a tunnel; by a host of the outside, with its port. */
export type From =
  | { readonly way: "inside" }
  | { readonly way: "tunnel" }
  | { readonly way: "external"; readonly host: string };

/** What the examples are written for. */
export const examplesOwn: Own = {
  app: "web",
  cluster: "pg",
  variable: "DATABASE_URL",
  url: "postgres://web:***@pg.internal:5432/web",
  state: "nothing",
  primaryRegion: "ams",
};

/** The recipe in the app's own names. Pure. */
export function withOwn(written: Written, own: Own, from: From): Written {
  const put = (text: string) => named(text, own);
  const [plain, withName] = (own.variable === "DATABASE_URL" ? undefined : written.recipe.otherVariable) ?? ["", ""];
  const edits = own.pool?.preparedStatements === false ? (written.recipe.unprepared ?? []) : [];
  const told = (text: string) =>
    edits.reduce((before, [prepared, without]) => before.replaceAll(prepared, () => without), text);
  const run = written.run
    .filter((line) => isToDo(line, own))
    .map((line) => put(own.regions === undefined ? line : withoutCreate(line)));
  return {
    ...written,
    about: put(written.about),
    install: written.install.map(put),
    run: from.way === "inside" ? run : run.flatMap(outside),
    notes: put(written.notes),
    files: written.files.map(({ path, text }) => ({
      path,
      text: put(told(plain === "" ? text : text.replace(plain, () => withName))),
    })),
  };
}

function named(text: string, { app, cluster, variable, primaryRegion, regions = [], leader = "MACHINE" }: Own): string {
  return text
    .replace(/((?:-a|--app|apps create) |\bapp = "|http:\/\/)web\b/g, (_, before: string) => `${before}${app}`)
    .replace(/((?:-a|--name|postgres attach) )pg\b/g, (_, before: string) => `${before}${cluster}`)
    .replace(/\bpg\.internal\b/g, () => `${cluster}.internal`)
    .replace(/\bprimary_region = "ams"/g, () => `primary_region = "${primaryRegion}"`)
    .replace(/postgres attach \S+ --app \S+/g, (line) =>
      variable === "DATABASE_URL" ? line : `${line} --variable-name ${variable}`,
    )
    .replace(/--region iad\b/g, () => `--region ${regions.find((region) => region !== primaryRegion) ?? "iad"}`)
    .replace(/\bMACHINE\b/g, () => leader)
    .replaceAll("DATABASE_URL", () => variable);
}

/** The cluster is there: no need to say how one is made. */
const withoutCreate = (line: string): string => line.replace(/ +# a cluster, made by: .*/, "");

/** Leaves out what was done already. */
function isToDo(line: string, { state, regions = [], primaryRegion }: Own): boolean {
  if (line.startsWith("perch apps create ")) return state === "nothing";
  if (line.startsWith("perch postgres attach ")) return state !== "attached";
  if (line.startsWith("perch machine clone ")) return regions.every((region) => region === primaryRegion);
  return true;
}

/** The line without `perch run`; what else perch does is done where the network is. */
function outside(line: string): string[] {
  const [, command] = /^perch run (?:-\S+ \S+ )*-- (.*)$/.exec(line) ?? [];
  return command === undefined ? [] : [command];
}
