/**
 * Foreign text in SQL where no parameter may stand. A NUL, which PostgreSQL cannot hold, ends the statement with an
 * error of its own. Pure.
 */

/** `we"ird` → `"we""ird"` */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** `it's` → `'it''s'`, whatever standard_conforming_strings says. */
export function quoteLiteral(value: string): string {
  const quoted = value.replaceAll("'", "''").replaceAll("\\", "\\\\");
  return value.includes("\\") ? ` E'${quoted}'` : `'${quoted}'`;
}
