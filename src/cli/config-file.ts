import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parse, TomlError } from "smol-toml";
import { fail, PerchError } from "../errors/error.ts";
import { readTrusted } from "../host/files/trusted-file.ts";
import { checkAppName, checkRegion } from "../model/name.ts";

/**
 * `perch.toml`, or a `fly.toml` as it stands: of it, Perch reads `app`, `primary_region` and `[env]`. The rest is
 * Fly.io's.
 */
export interface Config {
  app?: string;
  primaryRegion?: string;
  env: Record<string, string>;
}

/**
 * The file named, else perch.toml, else fly.toml of the directory; undefined when there is none. One that nobody named
 * is not taken from another user, who would choose the variables of what we run; throws `config_file_untrusted` then.
 */
export async function findConfig(directory: string, named?: string): Promise<Config | undefined> {
  if (named !== undefined) {
    const path = resolve(directory, named);
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      throw fail("config_file_unreadable", { file: named, why: error.code ?? error.message }, error);
    });
    return parseConfig(text, named);
  }
  for (const file of ["perch.toml", "fly.toml"]) {
    const found = await readTrusted(join(directory, file)).catch((error: NodeJS.ErrnoException) => {
      throw fail("config_file_unreadable", { file, why: error.code ?? error.message }, error);
    });
    if (found === undefined) continue;
    if ("distrust" in found) throw fail("config_file_untrusted", { file, why: found.distrust });
    return parseConfig(found.text, file);
  }
  return undefined;
}

/** Pure. Throws `config_file_invalid` with line and column, both from 1. */
export function parseConfig(text: string, file: string): Config {
  const wrong = (at: Position, why: string, cause?: unknown) =>
    fail("config_file_invalid", { file, line: at.line, column: at.column, why }, cause);
  const table = tomlTable(text, wrong);
  const check = <T>(key: string, value: T): T => {
    try {
      if (typeof value !== "string") throw wrong(positionOf(text, [key]), `${key} is not a string`);
      if (key === "app") checkAppName(value);
      else checkRegion(value);
      return value;
    } catch (error) {
      throw error instanceof PerchError && error.code !== "config_file_invalid"
        ? wrong(positionOf(text, [key]), error.message, error)
        : error;
    }
  };
  const env = table["env"] ?? {};
  if (typeof env !== "object" || Array.isArray(env) || env instanceof Date)
    throw wrong(positionOf(text, ["env"]), "env is not a table: write [env]");
  const pairs = Object.entries(env).map(([key, value]): [string, string] => {
    const why = whyNotVariable(key, value);
    if (why !== undefined) throw wrong(positionOf(text, ["env", key]), why);
    return [key, String(value)];
  });
  return {
    ...(table["app"] === undefined ? {} : { app: check("app", table["app"]) as string }),
    ...(table["primary_region"] === undefined
      ? {}
      : { primaryRegion: check("primary_region", table["primary_region"]) as string }),
    env: Object.fromEntries(pairs),
  };
}

function tomlTable(
  text: string,
  wrong: (at: Position, why: string, cause: unknown) => PerchError,
): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw wrong({ line: error.line, column: error.column }, `not valid TOML: ${what}`, error);
  }
}

function whyNotVariable(key: string, value: unknown): string | undefined {
  if (/^(FLY|PERCH)_/i.test(key)) return `${key}: names that begin FLY_ or PERCH_ are set by Perch itself`;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return `${JSON.stringify(key)} is no name of an environment variable`;
  if (!["string", "number", "boolean"].includes(typeof value)) return `${key} is not a string; write it between quotes`;
  return String(value).includes("\0") ? `${key} has a NUL character` : undefined;
}

export interface Position {
  line: number;
  column: number;
}

/**
 * Where a key stands, for errors about what it holds: the parser keeps no positions of what it accepts. Falls back to
 * the table, then to 1:1.
 */
export function positionOf(text: string, path: readonly string[]): Position {
  const [table, key] = path.length === 2 ? path : ["", path[0] ?? ""];
  let current = "";
  let header: Position | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const opened = /^\s*\[\s*([^[\]]+?)\s*\]/.exec(line)?.[1] ?? /^\s*\[\[(.+?)\]\]/.exec(line)?.[1];
    if (opened !== undefined) current = opened;
    const at = (column: number): Position => ({ line: index + 1, column: column + 1 });
    const found = /^\s*(?:"([^"]+)"|'([^']+)'|([\w.-]+))\s*=/.exec(line);
    const name = found?.[1] ?? found?.[2] ?? found?.[3];
    const column = line.search(/\S/);
    if (opened === path[0] || (current === "" && name === path[0])) header ??= at(column);
    if (name === undefined) continue;
    if ((current === table && name === key) || (table !== "" && current === "" && name === `${table}.${key}`))
      return at(column);
  }
  return header ?? { line: 1, column: 1 };
}
