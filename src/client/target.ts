import type { Route } from "../api/route.ts";

/** `/v1/apps/:app` with its parameters and the query, percent-encoded, defaults left to the daemon. */
export function targetOf(
  route: Pick<Route, "path">,
  params: Record<string, string>,
  query: Record<string, unknown>,
): string {
  const path = route.path.replace(/:(\w+)/g, (_, name: string) => encodeSegment(params[name] ?? ""));
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return search === "" ? path : `${path}?${search}`;
}

// "." and ".." would be taken for steps in the path, and an empty segment for another route: none of them is the name
// of anything.
const encodeSegment = (text: string): string => (/^\.{0,2}$/.test(text) ? `%00${text}` : encodeURIComponent(text));
