import { concernKey, type ConcernStep, type Due } from "../../../cluster/concern.ts";
import type { ClusterView } from "../../../cluster/view.ts";
import type { AttachmentRecord, FormerLoginRecord, RotationRecord } from "../../../model/records.ts";
import type { LoginFacts } from "./facts.ts";
import { type Fate, fateOf } from "./fate.ts";

export interface LoginStep extends ConcernStep {
  readonly concern: "login";
  /**
   * A password that was asked for is given. A login is made as its role is; PostgreSQL is told when it ends; it has no
   * password from now on; its role goes.
   */
  readonly what: "rotate" | "align" | "limit" | "end" | "remove";
  readonly cluster: string;
  /** The role whose logins they are. */
  readonly user: string;
  readonly logins: readonly string[];
}

/** A former login that cannot be removed keeps no other from ending, and neither keeps a new password waiting. */
const things: Record<LoginStep["what"], string> = {
  rotate: "",
  align: " (former)",
  limit: " (former)",
  end: " (former)",
  remove: " (ended)",
};
const thingOf = (what: LoginStep["what"], user: string): string => `${user}${things[what]}`;
/** As the loop remembers them: what fails of a rotation that somebody waits for. */
export const rotationKeys = (user: string): string[] =>
  [thingOf("rotate", user), thingOf("end", user)].map((thing) => concernKey("login", thing));

/** The name of a login or role as it is, of a key in the store. */
export const nameIn = (part: string): string => decodeURIComponent(part);

/** What is to be done about the logins of a cluster that has a leader. Pure. */
export function forLogins({ cluster: { app } }: Pick<ClusterView, "cluster">, facts: LoginFacts): Due<LoginStep>[] {
  const due = (what: LoginStep["what"], user: string, logins: readonly string[], because: string): Due<LoginStep> => ({
    step: { do: "concern", concern: "login", what, thing: thingOf(what, user), cluster: app, user, logins },
    because,
  });
  const rotations = facts.rotations.map((rotation) => {
    const user = nameIn(rotation.user);
    const { login = user } = rotation;
    const as = login === user ? "" : `, which logs in as ${login} with it`;
    return due("rotate", user, [login], `give a new password to user ${user} of ${app}${as}`);
  });
  const { asked } = facts;
  if (asked === undefined) return rotations;
  // One that has ended is on its way out.
  const lasting = asked.unlike.filter(({ login }) => !asked.states.some((one) => one.login === login && one.ended));
  const differing = grouped(lasting).map(([user, logins]) =>
    due("align", user, logins, `make ${named(logins)} of ${app} as role ${user} is: the role was changed`),
  );
  const formers = (fate: Fate) =>
    grouped(
      facts.formers
        .filter((former) => fateIn(facts, former) === fate)
        .map(({ user, login }) => ({ user, login: nameIn(login) })),
    );
  return [
    ...rotations,
    ...differing,
    ...formers("limit").map(([user, logins]) =>
      due(
        "limit",
        user,
        logins,
        `tell PostgreSQL of ${app} until when ${named(logins)} may be used: there is a newer password`,
      ),
    ),
    ...formers("end").map(([user, logins]) =>
      due(
        "end",
        user,
        logins,
        `end ${named(logins)} of ${app}: its time is over, or all that had its password has ended`,
      ),
    ),
    ...formers("remove").map(([user, logins]) =>
      due("remove", user, logins, `forget ${named(logins)} of ${app}: it has ended, and no session uses it`),
    ),
  ];
}

function fateIn({ asked, at, runs }: LoginFacts, former: FormerLoginRecord): Fate {
  const login = nameIn(former.login);
  const state = asked?.states.find((one) => one.login === login);
  return fateOf(former, { now: at, state, runs, inUse: asked?.inUse(login) });
}

const named = (logins: readonly string[]): string => `login${logins.length === 1 ? "" : "s"} ${logins.join(", ")}`;

/** Role → its logins. */
function grouped(logins: readonly { user: string; login: string }[]): [user: string, logins: string[]][] {
  const found = new Map<string, string[]>();
  for (const { user, login } of logins) found.set(user, [...(found.get(user) ?? []), login]);
  return [...found];
}

/**
 * The invariant of ending a login: it is a former one still, and no app's URL and no rotation has it. Gives its record;
 * undefined where it must work on. Pure.
 */
export function formerStill(
  login: string,
  now: {
    formers: readonly FormerLoginRecord[];
    attachments: readonly AttachmentRecord[];
    rotations: readonly RotationRecord[];
  },
): FormerLoginRecord | undefined {
  const used =
    now.attachments.some(({ user, login: own = user }) => own === login) ||
    now.rotations.some(({ user, login: own = nameIn(user) }) => own === login);
  return used ? undefined : now.formers.find((former) => nameIn(former.login) === login);
}

/**
 * Whether the password that was asked for is everywhere, and what must not work any more does not. Undefined where that
 * was not found out. Pure.
 */
export function isRotated(view: ClusterView, user: string): boolean | undefined {
  const facts = view.found.get("login") as LoginFacts | undefined;
  if (facts?.asked === undefined) return undefined;
  return !forLogins(view, facts).some(
    ({ step }) => step.user === user && (step.what === "rotate" || step.what === "limit" || step.what === "end"),
  );
}
