import { fail } from "../errors/error.ts";
import { findRegion, similarRegions } from "./region.ts";

/**
 * The laws of names. An app's name is a DNS label (RFC 1123, letters first), because `<app>.internal` is made of it; a
 * database or user name is a PostgreSQL identifier of at most 63 bytes (NAMEDATALEN - 1), quoted wherever it is used.
 */

const whyNotName = (name: string): string | undefined => {
  if (name === "") return "it is empty";
  if (name.length > 63) return `it has ${name.length} characters, more than 63`;
  if (/^[0-9]/.test(name)) return "it begins with a digit";
  if (/^-/.test(name)) return "it begins with a dash";
  if (/-$/.test(name)) return "it ends with a dash";
  if (/[A-Z]/.test(name)) return "it has upper-case letters";
  if (!/^[a-z0-9-]+$/.test(name)) return "it has characters other than a-z, 0-9 and -";
  return undefined;
};

export function checkAppName(name: string, what = "app name"): string {
  const why = whyNotName(name);
  if (why !== undefined) throw fail("name_invalid", { what, name: printable(name), why });
  return name;
}

export function checkRegion(code: string): string {
  if (findRegion(code) !== undefined) return code;
  const similar = similarRegions(code).slice(0, 3);
  throw fail("region_invalid", {
    region: printable(code),
    hint: similar.length > 0 ? `; did you mean ${similar.join(" or ")}?` : "",
  });
}

const utf8Length = (text: string): number => new TextEncoder().encode(text).length;

const whyNotIdentifier = (name: string): string | undefined =>
  name === ""
    ? "it is empty"
    : /\0|\p{Surrogate}/u.test(name)
      ? "it has a NUL character or half a surrogate pair"
      : utf8Length(name) > 63
        ? `it has ${utf8Length(name)} bytes, more than 63`
        : undefined;

/**
 * Whether PostgreSQL may have something of that name. It must not be asked about others: it fails, or takes the first
 * 63 bytes for the name.
 */
export const isIdentifier = (name: string): boolean => whyNotIdentifier(name) === undefined;

export function checkIdentifier(name: string, what: string): string {
  const why =
    whyNotIdentifier(name) ??
    (/^pg_/i.test(name)
      ? "names that begin with pg_ belong to PostgreSQL"
      : name === "." || name === ".."
        ? "a URL cannot carry it: there it is a step of a path"
        : undefined);
  if (why !== undefined) throw fail("identifier_invalid", { what, name: printable(name), why });
  return name;
}

/** Those that every server has. */
const protectedDatabases: readonly string[] = ["postgres", "template0", "template1"];

/** A database that may be made and dropped. */
export function checkDatabase(name: string): string {
  checkIdentifier(name, "database");
  if (protectedDatabases.includes(name)) throw fail("database_protected", { database: name });
  return name;
}

/** The database and user that `attach` makes when none are named: the app's name, `-` as `_` (flyctl). */
export const identifierOfApp = (app: string): string => app.toLowerCase().replaceAll("-", "_");

/** Foreign text as it may stand in a message: control characters escaped, cut at 80 characters. */
export function printable(text: string): string {
  const escaped = text.replace(/[\p{Cc}\p{Cf}]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
  return escaped.length > 80 ? `${escaped.slice(0, 77)}…` : escaped;
}
