import { clusterHost } from "../model/attachment-url.ts";
import type { ClusterFacts, Facts, Knock, Line, MemberFacts, Target } from "./facts.ts";
import { newUrl, refused } from "./facts.ts";

/** The way to the server: name, address, port, TLS. Each ends it where it fails. Pure. */
export function wayLines(facts: Facts): Line[] {
  const { knock, target, cluster, mode } = facts;
  if (typeof target !== "object" || refused(knock) || knock.addresses === undefined) return [];
  const way = { knock, target, cluster, portable: mode === "portable", settle: newUrl(facts) };
  const lines = [nameLine(way)];
  if (refused(knock.addresses)) return lines;
  lines.push(addressLine(way, knock.addresses));
  if (knock.port !== undefined) lines.push(portLine(way, knock.port));
  if (knock.tls !== undefined) lines.push(tlsLine(way, knock.tls));
  return lines;
}

interface Way {
  knock: Knock;
  target: Target;
  cluster: ClusterFacts | undefined;
  portable: boolean;
  /** Where the URL itself must change. */
  settle: string;
}

/** What brings a member back that does not answer; undefined where one does. */
export function revival(cluster: ClusterFacts, member: MemberFacts | undefined): string | undefined {
  if (member === undefined) return `perch postgres status -a ${cluster.name}`;
  if (member.state === "started" || member.state === "streaming" || member.state === "paused") return undefined;
  return member.state === "stopped" ? `perch machine start ${member.id}` : `perch logs -a ${cluster.name}`;
}

export const leaderIn = (cluster: ClusterFacts): MemberFacts | undefined =>
  cluster.members.find(({ role }) => role === "leader");

function nameLine({ knock, target, cluster, settle }: Way): Line {
  const check = "name";
  const { host } = target;
  if (!refused(knock.addresses)) return { check, state: "ok", sentence: `${host} is found` };
  const { error } = knock.addresses;
  if (error === "ENOTFOUND" && cluster !== undefined && host === clusterHost(cluster.name)) {
    const next = revival(cluster, leaderIn(cluster)) ?? "perch events";
    return { check, state: "fail", sentence: `${host} has no address: no member of ${cluster.name} answers`, next };
  }
  if (error === "ENOTFOUND") {
    const sentence = `there is no name ${host}${host.endsWith(".internal") ? "" : " inside the network"}`;
    return {
      check,
      state: "fail",
      sentence,
      next: cluster === undefined ? settle : `perch dig ${clusterHost(cluster.name)}`,
    };
  }
  return {
    check,
    state: "fail",
    sentence: `the name server does not answer for ${host} (${error})`,
    next: "perch events",
  };
}

function addressLine({ target, cluster, portable }: Way, addresses: readonly string[]): Line {
  const check = "address";
  const list = addresses.join(", ");
  if (portable) return { check, state: "ok", sentence: `${target.host} is ${list}` };
  const owners = addresses.flatMap((address) => cluster?.members.filter((member) => member.address === address) ?? []);
  const known = owners.map(({ id, region, address }) => `${address} (${id} in ${region})`).join(", ");
  if (owners.length === addresses.length) return { check, state: "ok", sentence: `${target.host} is ${known}` };
  const whose = cluster === undefined ? "no member of a cluster here" : `no member of ${cluster.name}`;
  return { check, state: "warn", sentence: `${target.host} is ${list}: ${whose}`, next: "perch status" };
}

function portLine({ target, cluster, settle }: Way, port: NonNullable<Knock["port"]>): Line {
  const check = "port";
  if (!refused(port)) return { check, state: "ok", sentence: `port ${target.port} of ${port.address} opens` };
  const sentence = `port ${target.port} of ${target.host} does not open (${port.error})`;
  if (cluster === undefined) return { check, state: "fail", sentence, next: settle };
  const next = revival(cluster, leaderIn(cluster));
  if (next !== undefined)
    return { check, state: "fail", sentence: `${sentence}: the leader of ${cluster.name} does not answer`, next };
  // Who refuses says so at once; silence is a rule that drops packets, and not one of ours.
  if (port.error.includes("no answer within"))
    return {
      check,
      state: "fail",
      sentence: `${sentence}: something drops its packets`,
      next: "perch down && perch up",
    };
  return {
    check,
    state: "fail",
    sentence: `${sentence}; the leader is behind 5432, each member itself behind 5433`,
    next: settle,
  };
}

function tlsLine({ target, cluster, settle }: Way, tls: NonNullable<Knock["tls"]>): Line {
  const check = "tls";
  const { sslmode } = target;
  const asked = `sslmode=${sslmode}`;
  const ca = "perch certs ca > ca.pem";
  const connect = cluster === undefined ? settle : `perch postgres connect -a ${cluster.name}`;
  const switchedOff = "ssl was switched off there (ALTER SYSTEM RESET ssl and SELECT pg_reload_conf() undo it)";
  if (tls === "off") return { check, state: "ok", sentence: `the URL wants none (${asked})` };
  if (refused(tls)) {
    const file = target.sslrootcert !== undefined && /^E(NOENT|ACCES|ISDIR)$/.test(tls.error);
    if (file)
      return {
        check,
        state: "fail",
        sentence: `the authority ${target.sslrootcert} cannot be read (${tls.error})`,
        next: ca,
      };
    return { check, state: "fail", sentence: `TLS fails: ${tls.error}`, next: settle };
  }
  if (tls === "none") {
    const wanted = sslmode !== "prefer" && sslmode !== "allow";
    return wanted
      ? {
          check,
          state: "fail",
          sentence: `the server offers none, and the URL wants it (${asked}): ${switchedOff}`,
          next: connect,
        }
      : { check, state: "warn", sentence: "the server offers none; passwords and data are not encrypted" };
  }
  const verifies = sslmode.startsWith("verify-");
  if (verifies && !tls.verified)
    return {
      check,
      state: "fail",
      sentence: `the certificate is not one that ${target.sslrootcert ?? "the network's authority"} vouches for (${asked})`,
      next: ca,
    };
  if (verifies && target.sslrootcert === undefined)
    return {
      check,
      state: "warn",
      sentence: `${tls.protocol} with a certificate of the network, but the URL names no sslrootcert to check it by (${asked})`,
      next: ca,
    };
  return { check, state: "ok", sentence: `${tls.protocol}${verifies ? ", and the certificate is vouched for" : ""}` };
}
