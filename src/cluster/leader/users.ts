import { existing } from "../../postgres/sql/roles.ts";
import type { Context } from "../context.ts";
import { type Led, onLeader } from "./session.ts";

/** Those of these names that a role of the cluster has. */
export const rolesNamed = (context: Context, led: Led, names: readonly string[]): Promise<string[]> =>
  onLeader(context, led, (session) => existing(session, names));
