import { basename, dirname, join } from "node:path";
import {
  isBelow,
  lookBelow,
  readBelow,
  removeBelow,
  saysBelow,
  unlessStrange,
  writeBelow,
} from "../../host/files/below.ts";
import { writeWhole } from "../../host/files/files.ts";
import { accessText, type DoorAccess, replicationUser } from "./hba.ts";
import { readControlFile } from "./control-file.ts";
import type { Credentials } from "../tls/certificate.ts";
import type { Layout, Member } from "./directory.ts";
import { atLeast, configurationText } from "./settings.ts";

/** What a server's own files should say, whole: twice is the same as once. */
export interface Configuration {
  settings: Readonly<Record<string, string>>;
  /** CIDRs that may connect. */
  networks: readonly string[];
  /** Who comes by a public door. */
  door?: DoorAccess;
  /** Replicas keep the leader's slots, too. */
  slotSync?: boolean;
  /**
   * Perch's superusers need no password at the unix socket, whose directory is PostgreSQL's user's alone: while their
   * roles are put right.
   */
  trustSocket?: boolean;
  /** Whether it starts as a replica. */
  standby: boolean;
  replicationPassword: string;
}

/**
 * Writes what differs. "reload": a running server must be told; what needs a restart it then lists itself (`pending` in
 * the catalog).
 */
export async function configure(member: Member, wanted: Configuration): Promise<"reload" | "nothing"> {
  const changed = [
    await includeOnce(member),
    await writePassFile(member, wanted.replicationPassword),
    await setStandby(member, wanted.standby),
  ];
  for (const [name, content] of await wantedFiles(member, wanted))
    changed.push(await write(member.layout.data, name, content));
  return changed.includes(true) ? "reload" : "nothing";
}

/**
 * Whether a running server's files say something else than they should. `onStrange` hears of what is there and is no
 * file of its own.
 */
export async function configurationDiffers(
  member: Member,
  wanted: Configuration,
  onStrange?: (error: Error) => void,
): Promise<boolean> {
  const { layout } = member;
  const files = await wantedFiles(member, wanted);
  const found = await Promise.all(files.map(([name, content]) => saysBelow(layout.data, name, content, onStrange)));
  found.push(await saysPass(layout, passText(wanted.replicationPassword)));
  return found.includes(false);
}

/** Those in the data directory. */
async function wantedFiles({ layout }: Member, wanted: Configuration): Promise<[name: string, content: string][]> {
  // A standby whose leader has more of something than it would does not start: it follows the leader down only when the
  // leader has gone first.
  const floors = wanted.standby ? (await readControlFile(layout))?.floors : undefined;
  const settings = atLeast(wanted.settings, floors ?? {});
  return [
    ["perch.conf", `# Written by Perch; changes are lost.\n${configurationText(settings)}`],
    ["pg_hba.conf", accessText(wanted.networks, wanted.door, wanted.slotSync, wanted.trustSocket)],
  ];
}

/** The passfile of a replica: any host, because the leader changes. */
export async function writePassFile({ layout, place }: Member, password: string): Promise<boolean> {
  const content = passText(password);
  const its = (await lookBelow(layout.root, basename(layout.pass)))?.uid === (place.owner?.uid ?? process.getuid?.());
  if (its && (await saysPass(layout, content))) return false;
  await writeWhole(layout.pass, content, place.owner === undefined ? {} : { owner: place.owner });
  return true;
}

const saysPass = ({ pass }: Layout, content: string): Promise<boolean> =>
  saysBelow(dirname(pass), basename(pass), content);

const passText = (password: string): string => `*:*:*:${replicationUser}:${password.replace(/[\\:]/g, "\\$&")}\n`;

/** PEM texts into the member's tls directory. Gives whether anything changed. */
export async function writeCertificates(
  member: Member,
  pem: { certificate: string; key: string; authority: string },
): Promise<boolean> {
  const { tls } = member.layout;
  // The certificate last: it is what tells whether all three are there.
  const changed = [
    await write(tls, "server.key", pem.key),
    await write(tls, "ca.crt", pem.authority),
    await write(tls, "server.crt", pem.certificate),
  ];
  return changed.includes(true);
}

export const certificateFiles = (at: Layout): { certificate: string; key: string; authority: string } => ({
  certificate: join(at.tls, "server.crt"),
  key: join(at.tls, "server.key"),
  authority: join(at.tls, "ca.crt"),
});

/** What a member serves by now, and whom it trusts; undefined where it has no certificate or key of its own. */
export async function readCertificate({
  tls,
}: Layout): Promise<(Credentials & { authority: string | undefined }) | undefined> {
  const read = (name: string) => readBelow(tls, name).catch(unlessStrange);
  const [certificate, key, authority] = await Promise.all([read("server.crt"), read("server.key"), read("ca.crt")]);
  return certificate === undefined || key === undefined ? undefined : { certificate, key, authority };
}

/** initdb's postgresql.conf stays, with locale and samples; ours comes last and wins. */
async function includeOnce({ layout }: Member): Promise<boolean> {
  const line = "include 'perch.conf'\n";
  const text = (await readBelow(layout.data, "postgresql.conf").catch(unlessStrange)) ?? "";
  return text.endsWith(line) ? false : write(layout.data, "postgresql.conf", `${text.replaceAll(line, "")}\n${line}`);
}

async function setStandby({ layout }: Member, standby: boolean): Promise<boolean> {
  if ((await isBelow(layout.data, "standby.signal")) === standby) return false;
  if (!standby) await removeBelow(layout.data, "standby.signal");
  else await write(layout.data, "standby.signal", "");
  return true;
}

/** What is there and is no file of its own is written over, too. */
async function write(directory: string, name: string, content: string): Promise<boolean> {
  if (await saysBelow(directory, name, content)) return false;
  await writeBelow(directory, name, content);
  return true;
}
