import type { Target } from "./facts.ts";

/**
 * The parts of a DATABASE_URL as libpq reads it; "not a URL" where it is none of PostgreSQL's. Pure; the value is in no
 * error.
 */
export function targetOf(value: string): Target | "not a URL" {
  if (!/^postgres(ql)?:\/\//.test(value) || !URL.canParse(value)) return "not a URL";
  const url = new URL(value);
  const query = (name: string) => url.searchParams.get(name) ?? undefined;
  const part = (text: string) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text; // as it stands, which is what a driver would take
    }
  };
  const user = part(url.username) || (query("user") ?? "");
  const sslrootcert = query("sslrootcert");
  return {
    user,
    password: part(url.password) || (query("password") ?? ""),
    host: part(url.hostname).replace(/^\[(.*)\]$/, "$1") || (query("host") ?? ""),
    port: Number(url.port || (query("port") ?? "5432")),
    database: part(url.pathname.slice(1)) || (query("dbname") ?? user),
    sslmode: query("sslmode") ?? "prefer",
    ...(sslrootcert === undefined ? {} : { sslrootcert }),
  };
}
