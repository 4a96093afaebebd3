import { hidePasswords } from "./sql-password.ts";

/**
 * Secrets out of text that is about to be logged, shown or kept: passwords in URLs, in `key=value` pairs of any kind
 * (shell, conninfo, JSON), in SQL and in options, tokens of Perch, and PostgreSQL's scram verifiers. It knows shapes,
 * not values: what looks like nothing passes, so a secret must not be put into text at all.
 */
export function redact(text: string): string {
  return hidePasswords(text)
    .replace(/\bperch_[\w-]{20,}(\.[\w-]*)?/g, "perch_***")
    .replace(/(:\/\/[^\s:/@]*):[^\s/]+@/g, "$1:***@")
    .replace(
      /\b(\w{0,60}(?:password|passwd|pwd|secret|token)["']?)(\s*[=:]\s*)('(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^\s,;&"']+)/gi,
      "$1$2***",
    )
    .replace(/(--[a-z-]{0,30}password)\s+(?!-)\S+/gi, "$1 ***")
    .replace(/\bSCRAM-SHA-256\$[^\s'"]+/g, "SCRAM-SHA-256$***");
}

/** `postgres://web:***@pg.internal:5432/web` */
export function maskUrl(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/[^:/@]*):[^/]*@/i, "$1:***@");
}
