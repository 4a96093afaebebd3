import { type Concern, concernOf } from "../../../cluster/concern.ts";
import { ledIn } from "../../../cluster/leader/session.ts";
import { leaderOf, leads } from "../../../cluster/view.ts";
import { isCode, type PerchError } from "../../../errors/error.ts";
import { type LoginFacts, look } from "./facts.ts";
import { tend } from "./former.ts";
import { forLogins, type LoginStep } from "./plan.ts";
import { rotate, withdraw } from "./rotate.ts";

/**
 * The logins of a role of a cluster: a new password that was asked for, and former ones, which work a while longer. An
 * attached role has several logins, and one that no app uses gets the new password: the one in use works on for what
 * was started with it.
 */
const logins: Concern<LoginStep, LoginFacts> = {
  name: "login",
  observe: look,
  plan(view, facts) {
    const leader = leaderOf(view);
    return facts !== undefined && leader !== undefined && leads(leader) ? forLogins(view, facts) : [];
  },
  apply(step, context, view) {
    const led = ledIn(view);
    return step.what === "rotate" ? rotate(context, led, step.user) : tend(context, led, step);
  },
  /** Where PostgreSQL refuses it, it never comes to an end; else PostgreSQL may have it, and it is gone on with. */
  undo: async ({ what, cluster, user }, { state }, why) =>
    what === "rotate" && isRefusal(why) && withdraw(state, { cluster, user: encodeURIComponent(user) }),
};
export const loginConcern = concernOf(logins);

const isRefusal = (why: PerchError): boolean => isCode(why, "user_not_found") || isCode(why, "user_protected");
