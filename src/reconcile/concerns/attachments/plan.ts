import type { AttachmentRecord } from "../../../model/records.ts";
import { concernKey, type ConcernStep, type Due } from "../../../cluster/concern.ts";

export interface AttachmentStep extends ConcernStep {
  readonly concern: "attachment";
  /**
   * Role, database, secret; its database goes, with everything in it; role and secret go, as far as this attachment
   * made them.
   */
  readonly what: "grant" | "drop-database" | "revoke";
  readonly attachment: AttachmentRecord;
}

type Named = Pick<AttachmentRecord, "app" | "variable">;
const thingOf = ({ app, variable }: Named): string => `${app} ${variable}`;
/** As the loop remembers it. */
export const attachmentKey = (record: Named): string => concernKey("attachment", thingOf(record));

/**
 * What is to be done about the attachments of a cluster that has a leader. One that goes takes its database first,
 * where that was asked for. Pure.
 */
export const forAttachments = (view: { attachments: readonly { record: AttachmentRecord }[] }): Due<AttachmentStep>[] =>
  view.attachments.flatMap(({ record }) => reasonFor(record) ?? []);

function reasonFor(record: AttachmentRecord): Due<AttachmentStep> | undefined {
  const step = (what: AttachmentStep["what"]): AttachmentStep => ({
    do: "concern",
    concern: "attachment",
    what,
    thing: thingOf(record),
    attachment: record,
  });
  const { app, cluster, database, user, variable, phase } = record;
  if (phase === "creating")
    return { step: step("grant"), because: `attach ${app} to ${cluster}: a role, a database and ${variable}` };
  if (phase !== "destroying") return undefined;
  if (record.made.database) {
    const why =
      record.detaching === true
        ? `detaching ${app} was asked for with it`
        : `attaching ${app} made it and did not come to its end`;
    return {
      step: step("drop-database"),
      because: `drop database ${database} of ${cluster} with everything in it: ${why}`,
    };
  }
  return { step: step("revoke"), because: `detach ${app} from ${cluster}: role ${user} and ${variable} go` };
}

/**
 * The invariant of dropping a database: this attachment is the one that takes it along, and nobody else's attachment is
 * in it, whatever its phase. Gives the apps that are; undefined where it may go. Pure.
 */
export function inTheWayOfDropping(
  dropped: AttachmentRecord,
  attachments: readonly AttachmentRecord[],
): { apps: string } | { why: string } | undefined {
  const same = ({ app, variable }: AttachmentRecord) => app === dropped.app && variable === dropped.variable;
  const now = attachments.find(same);
  if (now?.phase !== "destroying" || !now.made.database || now.database !== dropped.database)
    return { why: "it is not asked for any more" };
  const others = attachments.filter((other) => other.database === dropped.database && !same(other));
  return others.length === 0 ? undefined : { apps: [...new Set(others.map(({ app }) => app))].join(", ") };
}
