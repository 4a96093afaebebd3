import { clusterHost } from "../model/attachment-url.ts";
import { leaderPort, memberPort, poolPort, memberPoolPort } from "../model/ports.ts";
import { portableHost } from "../model/address.ts";
import type { Facts, Line, Target } from "./facts.ts";
import { newUrl, refused } from "./facts.ts";
import { passwordLine, serverLines } from "./judge-server.ts";
import { wayLines } from "./judge-way.ts";

const hostText = ({ host }: Target): string => (host.includes(":") ? `[${host}]` : host);

/**
 * The facts as lines, in the order a packet goes. A line says what is so; one that fails says what helps. What could
 * not be looked at, because something before it is broken, has no line. Pure.
 */
export function judge(facts: Facts): Line[] {
  const { daemon } = facts;
  const lines: (Line | undefined)[] = [
    { check: "daemon", state: "ok", sentence: `perchd ${daemon.version} answers (process ${daemon.pid})` },
    namespaceLine(facts),
    urlLine(facts),
    ...wayLines(facts),
    passwordLine(facts),
    ...serverLines(facts),
  ];
  return lines.filter((line) => line !== undefined);
}

/**
 * Where apps are one user with PostgreSQL and the user's own files, that is said; what it means is in docs/security.md.
 */
function namespaceLine({ mode, weak, prefix, knock }: Facts): Line {
  const check = "namespace";
  if (refused(knock))
    return {
      check,
      state: "fail",
      sentence: `a program cannot be run where the app runs: ${knock.error}`,
      next: "perch down && perch up",
    };
  if (mode === "portable")
    return {
      check,
      state: "ok",
      sentence: `there is none: in portable mode the app runs on the host, with ports on 127.0.0.1; ${oneUser}`,
    };
  const entered = `the private network ${prefix}::/48 can be entered`;
  if (mode === "user") return { check, state: "ok", sentence: `${entered}; ${oneUser}` };
  if (weak)
    return {
      check,
      state: "warn",
      sentence: `${entered}; ${noNamespace}`,
      next: "perch run --user NAME -a APP -- COMMAND",
    };
  return { check, state: "ok", sentence: entered };
}

const oneUser =
  "apps run as the user of PostgreSQL and perchd, and the system cannot wall them off from that user's files and ports";
const noNamespace =
  "this system refuses root a user namespace (unshare --user), so apps that run as root can read other apps and Perch's files";

function urlLine(facts: Facts): Line {
  const check = "url";
  const { app, variable, target, attachment, clusters, mode } = facts;
  const restore = attachment && newUrl(facts);
  const attach = `perch postgres attach ${clusters.length === 1 ? clusters[0] : "CLUSTER"} --app ${app}${variable === "DATABASE_URL" ? "" : ` --variable-name ${variable}`}`;
  if (target === undefined) {
    if (restore !== undefined)
      return { check, state: "fail", sentence: `the secret ${variable} of ${app} was taken away`, next: restore };
    const sentence = `${app} has no secret ${variable}: it is not attached to a cluster`;
    return {
      check,
      state: "fail",
      sentence,
      next: clusters.length === 0 ? `perch postgres create --name pg && ${attach}` : attach,
    };
  }
  if (target === "not a URL")
    return {
      check,
      state: "fail",
      sentence: `${variable} does not begin with postgres:// or is no URL`,
      next: newUrl(facts),
    };
  if (target === "not ours") {
    const sentence = `${variable} leads to no cluster that ${app} is attached to, and a token is not told where else it comes to`;
    return { check, state: "warn", sentence, next: `perch doctor -a ${app}, typed on the host itself` };
  }
  const leads = `${variable} leads to ${target.user}@${hostText(target)}:${target.port}/${target.database}`;
  if (attachment === undefined) return { check, state: "ok", sentence: `${leads}; it was set by hand` };
  const host = mode === "portable" ? portableHost : clusterHost(attachment.cluster);
  const known = mode === "portable" || [leaderPort, memberPort, poolPort, memberPoolPort].includes(target.port);
  const own =
    target.host === host && target.user === attachment.login && target.database === attachment.database && known;
  if (own) return { check, state: "ok", sentence: `${leads}, as the attachment to ${attachment.cluster} has it` };
  const sentence = `${leads}, but the attachment is ${attachment.login}@${host}/${attachment.database}: it was set over by hand`;
  return { check, state: "warn", sentence, ...(restore === undefined ? {} : { next: restore }) };
}
