/**
 * What a caller needs of each route: everything but the schemas, whose library takes longer to load than a small
 * command runs. The build works this table out and puts it in place of this file (`scripts/build`), so that a built CLI
 * reads it and loads no schema.
 */
import type { Route } from "./route.ts";
import { type RouteName, routes } from "./routes.ts";

export interface Call extends Pick<Route, "method" | "path" | "kind"> {
  /** Whether it takes a body. */
  readonly body: boolean;
  /** Whether another host may call it. */
  readonly remote: boolean;
}

const callOf = ({ method, path, kind, body, remote }: Route): Call => ({
  method,
  path,
  kind,
  body: body !== undefined,
  remote: remote !== undefined,
});

export const calls = Object.fromEntries(
  Object.entries<Route>(routes).map(([name, route]) => [name, callOf(route)]),
) as Readonly<Record<RouteName, Call>>;
