import { routes, type RouteName } from "../../api/routes.ts";
import { fail, PerchError } from "../../errors/error.ts";
import type { ErrorCode } from "../../errors/register.ts";
import type { Home } from "../../host/system/home.ts";
import { diskRoom, isFull } from "../../host/system/machine.ts";
import type { AnyHandler } from "./call.ts";
import type { Handlers } from "./http.ts";

/** What a server says, or no longer says, that cannot write: many words for one cause. */
const suspects: ReadonlySet<ErrorCode> = new Set([
  "sql_failed",
  "no_active_leader",
  "postgres_start_failed",
  "postgres_init_failed",
  "base_backup_failed",
  "replica_not_streaming",
  "half_detached",
  "half_retired",
] as const);

/** Whatever fails for want of room on the disk of PostgreSQL's data fails by that name. */
export function namingFullDisk(home: Pick<Home, "postgres">, handlers: Handlers): Handlers {
  const named = Object.entries(handlers).map(([name, handler]) => [
    name,
    routes[name as RouteName].kind === "feed" ? handler : naming(home, handler as AnyHandler),
  ]);
  return Object.fromEntries(named) as Handlers;
}

const naming =
  (home: Pick<Home, "postgres">, handler: AnyHandler): AnyHandler =>
  async (input, call) => {
    try {
      return await handler(input, call);
    } catch (error) {
      throw await causeOf(home, error);
    }
  };

export async function causeOf({ postgres }: Pick<Home, "postgres">, error: unknown): Promise<unknown> {
  if (!(error instanceof PerchError) || !suspects.has(error.code)) return error;
  // Where the room cannot be told the error stays as it is.
  const room = await diskRoom(postgres).catch(() => undefined);
  if (room === undefined || !isFull(room)) return error;
  const full = fail("disk_full", { path: postgres }, error);
  return new PerchError(
    {
      ...full.toBody(),
      next: `Make room and repeat; what was half made is taken away by itself then. PostgreSQL said: ${error.message}`,
    },
    error,
  );
}
