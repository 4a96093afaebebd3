/**
 * What every session of Perch pins, whatever the server's file, `ALTER DATABASE … SET` or `ALTER ROLE … SET` says: the
 * `options` of a startup packet beat all three. The owner of a database sets its search_path, and would else choose
 * which code a superuser's session calls by an unqualified name. Pure.
 */

/** Ours before theirs, and temporary objects last: a table of one's own could stand for a catalog otherwise. */
const pinnedPath = "pg_catalog,pg_temp";

/** Who the session is, and whose code it meets: this is pinned in a session that a person has, too. */
const trust: Readonly<Record<string, string>> = {
  search_path: pinnedPath,
  role: "none",
  local_preload_libraries: "",
};

const own: Readonly<Record<string, string>> = {
  ...trust,
  // A superuser's alone to set, and so an operator's: a library loaded for apps' sessions has no business in ours.
  session_preload_libraries: "",
  // Rules and triggers fire for apps; a policy would be somebody else's expression.
  row_security: "off",
  // Each call has a deadline of its own (`session.ts`); what waits for a lock says so before that.
  statement_timeout: "0",
  lock_timeout: "10s",
  idle_session_timeout: "0",
  idle_in_transaction_session_timeout: "60s",
  default_transaction_read_only: "off",
  default_transaction_deferrable: "off",
  default_transaction_isolation: "read\\ committed",
  // Where new objects go, and how what is asked comes back.
  default_tablespace: "",
  temp_tablespaces: "",
  default_table_access_method: "heap",
  standard_conforming_strings: "on",
  quote_all_identifiers: "off",
  transform_null_equals: "off",
  DateStyle: "ISO",
  bytea_output: "hex",
  extra_float_digits: "1",
  client_min_messages: "notice",
  jit: "off",
  // A query whose connection we gave up ends within a second, too.
  client_connection_check_interval: "1s",
};

/** For a session that Perch itself opens as a superuser. */
export function ownOptions(major: number): string {
  // Event triggers are a superuser's to make, and call functions that others may own. Before 17 only this keeps them
  // from running; Perch changes no row of a
  // user's table, so nothing else is left out by it.
  const events: Record<string, string> =
    major >= 17
      ? { event_triggers: "off", session_replication_role: "origin", transaction_timeout: "0" }
      : { session_replication_role: "replica" };
  return text({ ...own, ...events });
}

/**
 * For a person's session as a superuser (psql of `perch postgres connect`): trust alone, no timeouts and no formats.
 */
export const personOptions = (): string => text(trust);

/**
 * For a program of PostgreSQL that replicates: what may end it half-way. It is in no database, and calls nothing by a
 * name.
 */
export const replicationOptions = (): string => text({ statement_timeout: "0", idle_session_timeout: "0" });

const text = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(" ");
