import type { Access, Route } from "../../api/route.ts";
import { scopes } from "../../api/route.ts";
import { fail, type PerchError } from "../../errors/error.ts";
import type { TokenRecord } from "../../model/records.ts";
import { runsProgram } from "../../model/setting-programs.ts";

/** What a token may do, from the route's own data. Pure. */
export interface Asked {
  params: Record<string, unknown>;
  query: Record<string, unknown>;
  body: Record<string, unknown>;
}

/** Before the request's body is read: whether the scope is enough. */
export function refusedByScope(token: TokenRecord, route: Route): PerchError | undefined {
  const { remote } = route;
  if (remote === undefined) return fail("machine_only", { what: `${route.method} ${route.path}` });
  return includes(token, remote.scope) ? undefined : lacking(token, route, remote.scope);
}

/** And after: the switches in it, and whose app it is about. `oneUser`: PostgreSQL runs as perchd's own user. */
export function refusedByInput(
  token: TokenRecord,
  route: Route,
  asked: Asked,
  appOfMachine: (id: string) => string | undefined,
  oneUser = false,
): PerchError | undefined {
  const { remote } = route;
  if (remote === undefined) return fail("machine_only", { what: `${route.method} ${route.path}` });
  const { machineFor = [], machineForWhereOneUser = [] } = remote;
  const given = machineFor.find((name) => asked.body[name] !== undefined);
  const powerful = oneUser ? machineForWhereOneUser.find((name) => asked.body[name] === true) : undefined;
  const local = given ?? powerful ?? (oneUser ? programIn(remote, asked) : undefined);
  if (local !== undefined) return fail("machine_only", { what: `${local} in ${route.method} ${route.path}` });
  const switched = remote.adminFor?.find((name) => asked.body[name] !== undefined && asked.body[name] !== false);
  if (switched !== undefined && !includes(token, "admin")) return lacking(token, route, "admin", `${switched} in `);
  if (token.app === undefined || remote.app === "any") return undefined;
  return appIn(remote.app, asked, appOfMachine) === token.app
    ? undefined
    : fail("token_app", { token: token.name, app: token.app });
}

/** A setting by which PostgreSQL would run a program. */
function programIn({ settingsWhereOneUser: field }: Access, { body }: Asked): string | undefined {
  const given = field === undefined ? undefined : body[field];
  return Object.entries(typeof given === "object" && given !== null ? given : {}).find(([name, value]) =>
    runsProgram(name, String(value)),
  )?.[0];
}

/**
 * A token of one app makes roles and databases only in clusters that the app was given: where somebody else has
 * attached it before.
 */
export function refusedByCluster(
  token: TokenRecord,
  route: Route,
  asked: Asked,
  attachedTo: readonly string[],
): PerchError | undefined {
  const cluster = asked.params["cluster"];
  if (token.app === undefined || route.remote?.attachedOnly !== true || attachedTo.some((one) => one === cluster))
    return undefined;
  return fail("token_cluster", { token: token.name, app: token.app, cluster: String(cluster) });
}

const includes = (token: TokenRecord, scope: Access["scope"]): boolean =>
  scopes.indexOf(token.scope) >= scopes.indexOf(scope);

const lacking = (token: TokenRecord, route: Route, needed: string, what = ""): PerchError =>
  fail("token_scope", { token: token.name, scope: token.scope, what: `${what}${route.method} ${route.path}`, needed });

function appIn(where: Access["app"], asked: Asked, appOfMachine: (id: string) => string | undefined): unknown {
  const [part, name] = (where ?? "").split(".");
  if (name === undefined || (part !== "params" && part !== "query" && part !== "body")) return undefined;
  const value = asked[part][name];
  return name === "machine" ? appOfMachine(String(value)) : value;
}
