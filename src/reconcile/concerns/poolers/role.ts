/** The role as which the poolers of a cluster look others up, and its password, which is a secret of the cluster. */
import { within } from "../../../base/deadline.ts";
import { type Context, passwordsOf } from "../../../cluster/context.ts";
import { poolPassword } from "../../../cluster/poolers.ts";
import type { ClusterRecord, SecretRecord } from "../../../model/records.ts";
import { clusterSecrets } from "../../../model/secret.ts";
import { dismiss, makePoolUser, poolVerifier } from "../../../pgbouncer/lookup.ts";
import { superuser } from "../../../postgres/instance/hba.ts";
import { verifies } from "../../../postgres/sql/scram.ts";
import { connect, type Session, withSession } from "../../../postgres/sql/session.ts";
import { randomPassword } from "../../../vault/random-password.ts";
import { openSecret, sealedSecret } from "../../../vault/sealed-secret.ts";
import { leaderMember } from "../../members.ts";
import { olderIn } from "./lookup.ts";

/** So long the leader is waited for; else it is asked at the next look. Milliseconds. */
const patienceMs = 2_000;

/** Digest of a secret and verifier that belong together: to find out takes milliseconds of hashing. */
const matching = new Set<string>();

/** Whether PostgreSQL has the role with this password; undefined where it does not say. */
export async function hasRole(
  { vault }: Context,
  secret: SecretRecord | undefined,
  leader: Session | undefined,
): Promise<boolean | undefined> {
  if (leader === undefined) return undefined;
  if (secret === undefined) return false;
  const asked = poolVerifier(leader).then((verifier) => ({ verifier }));
  // Asked again at the next look.
  const said = await within(patienceMs, asked).catch(() => undefined);
  if (said === undefined) return undefined;
  if (said.verifier === undefined) return false;
  const key = `${secret.digest} ${said.verifier}`;
  if (!matching.has(key) && verifies(said.verifier, openSecret(vault, secret))) matching.add(key);
  return matching.has(key);
}

/** The role, with the password that is kept; one is made where there is none. */
export async function makeRole(context: Context, cluster: ClusterRecord): Promise<void> {
  const { state, vault } = context;
  const { app } = cluster;
  if ((await state.secrets.get({ app, name: clusterSecrets.pooler })) === undefined)
    await vault.sealing((sealer) =>
      state.secrets.create(sealedSecret(sealer, app, clusterSecrets.pooler, randomPassword())),
    );
  const password = await poolPassword(context, app);
  const { perch } = await passwordsOf(context, app);
  await withSession(await leaderMember(context, cluster), { user: superuser, password: perch }, (session) =>
    makePoolUser(session, password),
  );
}

/** What the poolers looked roles up by goes, in every database; then the password, which says that it is there. */
export async function dismissRole(context: Context, cluster: ClusterRecord): Promise<void> {
  const { app } = cluster;
  const { perch } = await passwordsOf(context, app);
  const leader = await leaderMember(context, cluster);
  await dismiss((database) => connect(leader, { user: superuser, password: perch, database }));
  for (const key of context.admitted) if (key.startsWith(`${app}/`)) context.admitted.delete(key);
  for (const [key] of olderIn(context, app)) context.older.delete(key);
  await context.state.secrets.remove({ app, name: clusterSecrets.pooler });
}
