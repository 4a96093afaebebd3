import { type Concern, concernOf } from "../../../cluster/concern.ts";
import type { Context } from "../../../cluster/context.ts";
import { inTurn } from "../../../cluster/shared-catalogs.ts";
import { type ClusterView, leaderOf, leads } from "../../../cluster/view.ts";
import type { PerchError } from "../../../errors/error.ts";
import { leaderMember } from "../../members.ts";
import { admitDatabases } from "../poolers/lookup.ts";
import { makeRole } from "../poolers/role.ts";
import { grant } from "./grant.ts";
import { type AttachmentStep, forAttachments } from "./plan.ts";
import { afterFailure, dropItsDatabase, revoke } from "./revoke.ts";

/**
 * An app's role and database in a cluster, with the variable that holds the URL. The records say all there is to find.
 */
const attachments: Concern<AttachmentStep, null> = {
  name: "attachment",
  observe: () => Promise.resolve(null),
  plan(view) {
    const leader = leaderOf(view);
    return leader !== undefined && leads(leader) ? forAttachments(view) : [];
  },
  apply: (step, context, view) => inTurn(view.cluster.app, () => act(step, context, view)),
  undo,
};
export const attachmentConcern = concernOf(attachments);

async function act(step: AttachmentStep, context: Context, { cluster }: ClusterView): Promise<void> {
  const leader = await leaderMember(context, cluster);
  if (step.what === "drop-database") return dropItsDatabase(context, leader, step.attachment);
  if (step.what === "revoke") return revoke(context, leader, step.attachment);
  return grant(context, leader, step.attachment, async (database) => {
    if (cluster.pool === undefined) return;
    // One that was asked for a moment ago has no role yet that could look.
    if (cluster.poolBefore !== undefined) await makeRole(context, cluster);
    await admitDatabases(context, cluster, [database]);
  });
}

async function undo({ what, attachment }: AttachmentStep, { state, say }: Context, why: PerchError): Promise<boolean> {
  const { app, cluster } = attachment;
  if (what === "grant") {
    const record = await state.attachments.update(attachment, (now) => ({ ...now, phase: "destroying" }));
    say(cluster, `attaching ${app} failed: ${why.message}; what was made is taken away`);
    return record !== undefined;
  }
  const before = await afterFailure({ state }, attachment, why);
  if (before) say(cluster, `detaching ${app} failed, and it is attached as before: ${why.message}`);
  return before;
}
