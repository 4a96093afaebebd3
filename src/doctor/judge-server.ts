import type { Asked, ClusterFacts, Facts, Line } from "./facts.ts";
import { attachAgain, loginOf, newUrl } from "./facts.ts";
import { connectionsLine, diskLine, lagLine, leaderLine, warningLines } from "./judge-cluster.ts";

/** What the server says to the app: password, database, role; what it is like comes from `judge-cluster.ts`. Pure. */
export function passwordLine(facts: Facts): Line | undefined {
  const { target, cluster, variable } = facts;
  const login = loginOf(facts);
  if (login === undefined || typeof target !== "object") return undefined;
  const check = "password";
  if (!("state" in login)) return { check, state: "ok", sentence: `PostgreSQL takes the password of ${target.user}` };
  const toldBelow = cluster?.admission !== undefined && (login.state === "53300" || login.state === "28000");
  if (toldBelow) return undefined;
  switch (login.state) {
    case "28P01": {
      const known = cluster?.admission;
      if (known !== undefined && known.role === undefined) return undefined; // its line says so
      if (known?.role?.expired === true)
        return {
          check,
          state: "fail",
          sentence: `the password of ${target.user} has expired (VALID UNTIL)`,
          next: psql(cluster),
        };
      return {
        check,
        state: "fail",
        sentence: `PostgreSQL refuses the password of ${target.user}: it is not the one in ${variable}`,
        next: newUrl(facts),
      };
    }
    case "3D000":
    case "42501":
      return { check, state: "ok", sentence: `PostgreSQL takes the password of ${target.user}` };
    default:
      return {
        check,
        state: "fail",
        sentence: `PostgreSQL does not let ${target.user} in: ${login.error}`,
        next: cluster === undefined ? "perch status" : `perch logs -a ${cluster.name}`,
      };
  }
}

const psql = (cluster: ClusterFacts | undefined): string =>
  cluster === undefined ? "perch status" : `perch postgres connect -a ${cluster.name}`;

export function serverLines(facts: Facts): (Line | undefined)[] {
  const { cluster, target } = facts;
  if (cluster === undefined) return [strangerLine(facts), diskLine(facts), ...warningLines(facts)];
  const { admission } = cluster;
  const asked = admission !== undefined && typeof target === "object" ? { admission, target } : undefined;
  return [
    asked && databaseLine(facts, cluster, asked),
    asked && roleLine(facts, cluster, asked),
    leaderLine(facts, cluster),
    asked && connectionsLine(facts, cluster, asked),
    diskLine(facts),
    ...cluster.members.filter(({ role }) => role === "replica").map((replica) => lagLine(cluster, replica)),
    ...warningLines(facts),
  ];
}

/** A server that is none of ours: all that is known is what it said. */
function strangerLine(facts: Facts): Line | undefined {
  const login = loginOf(facts);
  if (login === undefined) return undefined;
  const check = "database";
  if ("state" in login)
    return login.state === "3D000" ? { check, state: "fail", sentence: login.error, next: "perch status" } : undefined;
  return {
    check,
    state: login.readOnly ? "warn" : "ok",
    sentence: `a server that is not Perch's lets the app in${login.readOnly ? ", to read only" : ""}`,
  };
}

function databaseLine({ app, attachment }: Facts, { name }: ClusterFacts, { admission, target }: Asked): Line {
  const check = "database";
  if (admission.database === undefined) {
    const owner = attachment?.user ?? (admission.role === undefined ? undefined : target.user);
    const next = `perch postgres db create ${target.database} -a ${name}${owner === undefined ? "" : ` --owner ${owner}`}`;
    return {
      check,
      state: "fail",
      sentence: `${name} has no database ${target.database}, which the URL of ${app} names`,
      next,
    };
  }
  if (!admission.database.open)
    return {
      check,
      state: "fail",
      sentence: `the database ${target.database} takes no connections (ALLOW_CONNECTIONS false)`,
      next: `perch postgres connect -a ${name}`,
    };
  return { check, state: "ok", sentence: `${target.database} is there` };
}

function roleLine(facts: Facts, { name, roleless }: ClusterFacts, { admission, target }: Asked): Line {
  const check = "role";
  const { attachment } = facts;
  const { role } = admission;
  if (attachment !== undefined && roleless === true)
    return {
      check,
      state: "fail",
      sentence: `${name} has no role ${attachment.user}, as which the app works`,
      next: attachAgain(facts, attachment),
    };
  if (role === undefined) {
    const next = attachment === undefined ? `perch postgres users create ${target.user} -a ${name}` : newUrl(facts);
    return { check, state: "fail", sentence: `${name} has no role ${target.user}, as which the app logs in`, next };
  }
  const next = `perch postgres connect -a ${name}`;
  if (!role.login) return { check, state: "fail", sentence: `the role ${target.user} may not log in (NOLOGIN)`, next };
  if (admission.database !== undefined && !admission.mayConnect)
    return {
      check,
      state: "fail",
      sentence: `the role ${target.user} may not connect to ${target.database}: GRANT CONNECT is missing`,
      next,
    };
  const login = loginOf(facts);
  if (login !== undefined && "state" in login && login.state === "28000")
    return {
      check,
      state: "fail",
      sentence: `PostgreSQL does not let ${target.user} in: ${login.error}`,
      next: `perch logs -a ${name}`,
    };
  return {
    check,
    state: "ok",
    sentence: `${target.user} may log in${admission.database === undefined ? "" : ` and connect to ${target.database}`}`,
  };
}
