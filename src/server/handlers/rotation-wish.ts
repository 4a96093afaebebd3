import { currentActor } from "../../base/actor.ts";
import { rolesNamed } from "../../cluster/leader/users.ts";
import { fail } from "../../errors/error.ts";
import { freeLogin, loginsOf } from "../../model/login.ts";
import type { AttachmentRecord, RotationRecord } from "../../model/records.ts";
import { rotationContext } from "../../vault/sealed.ts";
import type { Deps } from "../deps.ts";
import { requireLeader } from "./cluster.ts";

export interface Asked {
  cluster: string;
  user: string;
  password: string;
  /** Seconds for which the old password works. Without it: until what was started with it has ended, a day at most. */
  overlap: number | undefined;
}

/** Which login gets the password, and which one the URL had before. */
export interface RotationWish {
  login: string;
  before: string;
}

const usualOverlap = 24 * 3_600;

/**
 * What is wanted, written down before anything is done. A detachment that is under way finds it there, or it finds the
 * detachment: one of the two is refused.
 */
export async function wishFor(deps: Deps, { cluster, user, password, overlap }: Asked): Promise<RotationWish> {
  const { state } = deps;
  const attachment = (await state.attachments.list({ cluster })).find((one) => one.user === user);
  const seen = attachment && (await state.attachments.see(attachment));
  if (seen !== undefined && seen.record.phase !== "ready")
    throw fail("busy", { what: `the attachment of ${seen.record.app}`, by: "attach or detach" });
  const names = await rolesNamed(deps.context, await requireLeader(deps, cluster), loginsOf(user));
  if (!names.includes(user)) throw fail("user_not_found", { user, app: cluster });
  if (seen === undefined && (overlap ?? 0) > 0) throw fail("rotation_at_once", { user });
  const name = encodeURIComponent(user);
  const of = { cluster, user: name };
  const more = seen === undefined ? {} : await beside(deps, seen.record, { names, overlap });
  const compare = [state.rotations.absent(of), ...(seen === undefined ? [] : [state.attachments.still(seen)])];
  await deps.vault.sealing(async ({ seal }) => {
    const rotation: RotationRecord = {
      ...of,
      sealed: seal(rotationContext(of), password),
      ...more,
      by: currentActor(),
      createdAt: new Date().toISOString(),
    };
    const { done } = await state.commit(compare, [state.rotations.put(rotation)]);
    if (!done) throw fail("busy", { what: `user ${user}`, by: "another rotation" });
  });
  return { login: more.login ?? user, before: seen?.record.login ?? user };
}

/** The login that gets the password, and until when the one in use works. `names`: roles there are, of any owner. */
async function beside(
  { state }: Deps,
  { cluster, user, login: current = user }: AttachmentRecord,
  { names, overlap }: { names: readonly string[]; overlap: number | undefined },
): Promise<Pick<RotationRecord, "login" | "until" | "sooner">> {
  const formers = (await state.formerLogins.list({ cluster })).filter((former) => former.user === user);
  const own = [user, current, ...formers.map((former) => decodeURIComponent(former.login))];
  const until = new Date(Date.now() + (overlap ?? usualOverlap) * 1_000).toISOString();
  const kept = overlap === 0 ? [] : own.slice(2);
  const login = freeLogin(user, new Set([current, ...kept, ...names.filter((name) => !own.includes(name))]));
  if (login === undefined) throw fail("rotation_overlaps", { user, count: kept.length + 1, app: cluster });
  return { login, until, ...(overlap === undefined ? { sooner: true as const } : {}) };
}

/** Whose login it is: of the role of an app that has several, or of itself. */
export async function ownerOf({ state }: Deps, cluster: string, login: string): Promise<string> {
  const attached = (await state.attachments.list({ cluster })).find((attachment) => attachment.login === login);
  const former = await state.formerLogins.get({ cluster, login: encodeURIComponent(login) });
  return attached?.user ?? former?.user ?? login;
}
