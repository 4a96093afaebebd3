import { leaderPort } from "../../model/ports.ts";
import { fail } from "../../errors/error.ts";
import { portableHost } from "../../model/address.ts";
import { checkDatabase, checkIdentifier, identifierOfApp } from "../../model/name.ts";
import type { AttachmentRecord, ClusterRecord } from "../../model/records.ts";
import { checkSecretName } from "../../model/secret.ts";
import { clusterHost, urlPort } from "../../model/attachment-url.ts";
import { attachmentKey } from "../../reconcile/concerns/attachments/plan.ts";
import { refuseTaken } from "../../cluster/leader/databases.ts";
import type { ClusterView } from "../../cluster/view.ts";
import { requireApp } from "./apps.ts";
import { requireCluster, requireLeader } from "./cluster.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";
import { refuseLoginOfAnother } from "./known-login.ts";
import { settle } from "../wait.ts";
import { attachmentShape } from "../views/views.ts";

type AttachmentHandlers = Pick<Handlers, "listAttachments" | "attach" | "detach">;

export function attachmentHandlers(deps: Deps): AttachmentHandlers {
  const { state, events, place } = deps;
  const shape = (cluster: ClusterRecord, record: AttachmentRecord, isNew: boolean) =>
    place.mode === "portable"
      ? attachmentShape(record, { host: portableHost, port: cluster.portablePort ?? leaderPort }, isNew)
      : attachmentShape(record, { host: clusterHost(cluster.app), port: urlPort(record), pool: cluster.pool }, isNew);
  const find = (view: ClusterView | undefined, record: AttachmentRecord) =>
    view?.attachments.find((item) => attachmentKey(item.record) === attachmentKey(record))?.record;

  /** Unless a rotation is under way, which would give the role a login after it is gone. */
  const destroy = async (record: AttachmentRecord, made: AttachmentRecord["made"]) => {
    const busy = { what: `the attachment of ${record.app}`, by: "a rotation of its password, or another command," };
    const seen = await state.attachments.see(record);
    if (seen === undefined) throw fail("no_attachments", record);
    const none = state.rotations.absent({ cluster: record.cluster, user: encodeURIComponent(record.user) });
    const { done } = await state.commit(
      [none, state.attachments.still(seen)],
      [state.attachments.put({ ...seen.record, phase: "destroying", made, detaching: true })],
    );
    if (!done) throw fail("busy", busy);
  };

  return {
    async listAttachments({ params }) {
      const { record } = await requireCluster(deps, params.cluster);
      return (await state.attachments.list({ cluster: record.app }))
        .filter((attachment) => attachment.phase === "ready")
        .map((attachment) => shape(record, attachment, false));
    },

    async attach({ params, body }, call) {
      const app = await requireApp(deps, body.app);
      const led = await requireLeader(deps, params.cluster);
      const { record: cluster, loop } = led;
      if (body.pooled && cluster.pool === undefined) throw fail("pool_off", { app: cluster.app });
      const variable = checkSecretName(body.variable);
      const record: AttachmentRecord = {
        app: app.name,
        cluster: cluster.app,
        database: checkDatabase(body.database ?? identifierOfApp(app.name)),
        user: checkIdentifier(body.user ?? identifierOfApp(app.name), "user"),
        variable,
        superuser: body.superuser,
        scheme: body.scheme,
        ...(body.pooled ? { pooled: true } : {}),
        ...(body.connectionLimit === undefined ? {} : { connectionLimit: body.connectionLimit }),
        phase: "creating",
        made: { database: false, user: false },
        createdAt: new Date().toISOString(),
      };
      call.progress("Checking for existing attachments");
      const there = await state.attachments.get(record);
      if (there !== undefined) {
        if (there.phase !== "ready")
          throw fail("busy", {
            what: `the attachment of ${app.name}`,
            by: there.phase === "creating" ? "attach" : "detach",
          });
        if (body.ifNotAttached) return shape(cluster, there, false);
        throw fail("already_attached", { app: app.name, cluster: cluster.app, variable });
      }
      if ((await state.secrets.get({ app: app.name, name: variable })) !== undefined)
        throw fail("secret_exists", { app: app.name, name: variable });
      await refuseLoginOfAnother(deps, cluster.app, record.user);
      const { user } = record;
      await refuseTaken(deps.context, led, { user, database: body.existingDatabase ? undefined : record.database });

      call.progress("Registering attachment");
      if (!(await state.attachments.create(record)))
        throw fail("busy", { what: `the attachment of ${app.name}`, by: "another attach" });
      const made = await settle(loop, call, {
        what: `attaching ${app.name} to ${cluster.app}`,
        things: [attachmentKey(record)],
        done: (view) => (find(view, record)?.phase === "ready" ? find(view, record) : undefined),
        undone: (view) => find(view, record) === undefined,
        cancel: async () =>
          void (await state.attachments.update(record, (current) => ({
            ...current,
            phase: current.phase === "creating" ? "destroying" : current.phase,
          }))),
      });
      await events.append(
        app.name,
        `${app.name} is attached to ${cluster.app}: database ${record.database}, user ${record.user}, secret ${variable}`,
      );
      return shape(cluster, made, true);
    },

    async detach({ params, body }, call) {
      await requireApp(deps, body.app);
      const { record: cluster, loop } = await requireLeader(deps, params.cluster);
      const record = chooseAttachment(
        (await state.attachments.list({ cluster: cluster.app, app: body.app })).filter(
          (attachment) => body.variable === undefined || attachment.variable === body.variable,
        ),
        body.app,
        cluster.app,
      );
      const sharers = (await state.attachments.list({ cluster: cluster.app })).filter(
        (other) => other.database === record.database && attachmentKey(other) !== attachmentKey(record),
      );
      if (body.dropDatabase && sharers.length > 0)
        throw fail("database_in_use", {
          database: record.database,
          apps: sharers.map((other) => other.app).join(", "),
          app: cluster.app,
        });
      // Only what was asked for: without dropDatabase the database stays, whoever made it.
      await destroy(record, { user: true, database: body.dropDatabase });
      await settle(loop, call, {
        what: `detaching ${body.app} from ${cluster.app}`,
        things: [attachmentKey(record)],
        done: (view) => (view !== undefined && find(view, record) === undefined ? true : undefined),
        undone: (view) => find(view, record)?.phase !== "destroying" || find(view, record)?.detaching !== true,
      });
      await events.append(
        body.app,
        `${body.app} is detached from ${cluster.app}; its database ${record.database} ${body.dropDatabase ? "was dropped" : "stays"}`,
      );
      return shape(cluster, record, false);
    },
  };
}

/** The only one of those found. */
export function chooseAttachment(found: readonly AttachmentRecord[], app: string, cluster: string): AttachmentRecord {
  const [only, ...others] = found;
  if (only === undefined) throw fail("no_attachments", { app, cluster });
  if (others.length > 0)
    throw fail("attachment_ambiguous", {
      app,
      cluster,
      variables: found.map((attachment) => attachment.variable).join(", "),
    });
  return only;
}
