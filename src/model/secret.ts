import { fail } from "../errors/error.ts";
import { printable } from "./name.ts";

/** The laws of secrets: names are environment variables, values are text without NUL of at most 64 KiB. */

export const maxSecretBytes = 65_536;

export function checkSecretName(name: string): string {
  const why =
    name === ""
      ? "it is empty"
      : name.length > 255
        ? "it has more than 255 characters"
        : /^(FLY|PERCH)_/i.test(name)
          ? "FLY_ and PERCH_ are set by Perch itself"
          : !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
            ? "it is no name of an environment variable"
            : undefined;
  if (why !== undefined) throw fail("secret_name_invalid", { name: printable(name), why });
  return name;
}

export function checkSecretValue(name: string, value: string): string {
  const bytes = new TextEncoder().encode(value).length;
  if (bytes > maxSecretBytes) throw fail("secret_too_large", { name, bytes });
  if (/\0|\p{Surrogate}/u.test(value))
    throw fail("secret_pair_invalid", { what: `the value of ${name} has a NUL character or half a surrogate pair` });
  return value;
}

/** A password that PostgreSQL, a URL and a shell can all carry once quoted. */
export function checkPassword(password: string): string {
  const why =
    password.length < 8
      ? "it has fewer than 8 characters"
      : password.length > 128
        ? "it has more than 128 characters"
        : /\p{Cc}|\p{Surrogate}/u.test(password)
          ? "it has control characters or half a surrogate pair"
          : undefined;
  if (why !== undefined) throw fail("password_invalid", { why });
  return password;
}

/** `postgres://user:password@host:port/database`, every part percent-encoded as RFC 3986 wants it. */
export function databaseUrl(at: {
  scheme?: "postgres" | "postgresql";
  user: string;
  password: string;
  host: string;
  port: number;
  database: string;
}): string {
  const part = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const host = at.host.includes(":") ? `[${at.host}]` : at.host;
  return `${at.scheme ?? "postgres"}://${part(at.user)}:${part(at.password)}@${host}:${at.port}/${part(at.database)}`;
}

/** The secrets of a cluster's own app: who Perch, its replicas, its poolers and the operator come in as. */
export const clusterSecrets = {
  operator: "OPERATOR_PASSWORD",
  perch: "SU_PASSWORD",
  replicator: "REPL_PASSWORD",
  pooler: "POOL_PASSWORD",
} as const;
