import type { Context } from "../../../cluster/context.ts";
import { readControlFile } from "../../../postgres/instance/control-file.ts";
import { layout } from "../../../postgres/instance/directory.ts";
import type { Floors } from "./plan.ts";

/** What a member has of max_connections and its like; nothing where there is no data. Rejects with `file_strange`. */
export const floorsOf = async ({ home }: Pick<Context, "home">, machine: string): Promise<Floors> =>
  (await readControlFile(layout(home, machine)))?.floors ?? {};

/** The same for a look: one file that cannot be read does not keep a cluster from being looked at. */
export const floorsSeen = async (context: Pick<Context, "home" | "log">, machine: string): Promise<Floors> =>
  floorsOf(context, machine).catch((error: unknown) => {
    context.log.warn({ err: error, machine }, "what a member has of max_connections could not be read");
    return {};
  });
