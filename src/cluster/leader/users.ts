import { createUser, dropUser, existing, listSuperusers, listUsers, type User } from "../../postgres/sql/roles.ts";
import type { Context } from "../context.ts";
import { changing, type Led, onLeader } from "./session.ts";

/** Users are PostgreSQL's own: nothing of them is kept in the store, and each change is one transaction. */
export const usersOf = (context: Context, led: Led): Promise<User[]> =>
  onLeader(context, led, (session) => listUsers(session));

export const createUserIn = (
  context: Context,
  led: Led,
  user: { name: string; password: string; superuser: boolean },
): Promise<void> => changing(context, led, (session) => createUser(session, user));

export const dropUserIn = (context: Context, led: Led, name: string): Promise<void> =>
  changing(context, led, (session) => dropUser(session, name));

/** Those of these names that a role of the cluster has. */
export const rolesNamed = (context: Context, led: Led, names: readonly string[]): Promise<string[]> =>
  onLeader(context, led, (session) => existing(session, names));

/** Every role that may do everything, or become one that may. */
export const superusersOf = (context: Context, led: Led): Promise<string[]> =>
  onLeader(context, led, (session) => listSuperusers(session));
