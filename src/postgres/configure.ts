import { rm } from "node:fs/promises";
import { join } from "node:path";
import { exists, readUnlinked, writeWhole } from "../host/files.ts";
import { accessText, type DoorAccess, replicationUser } from "./access.ts";
import { readControlFile } from "./data.ts";
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
  /** Whether it starts as a replica. */
  standby: boolean;
  replicationPassword: string;
}

/** Writes what differs. "reload": a running server must be told; what needs a restart it then lists itself (`pending` in the catalog). */
export async function configure(member: Member, wanted: Configuration): Promise<"reload" | "nothing"> {
  const changed = [await includeOnce(member), await writePassFile(member, wanted.replicationPassword), await setStandby(member, wanted.standby)];
  for (const [path, content] of await wantedFiles(member, wanted)) changed.push(await write(member, path, content));
  return changed.includes(true) ? "reload" : "nothing";
}

/** Whether a running server's files say something else than they should. */
export async function configurationDiffers(member: Member, wanted: Configuration): Promise<boolean> {
  const files = [...(await wantedFiles(member, wanted)), [member.layout.pass, passText(wanted.replicationPassword)] as const];
  const found = await Promise.all(files.map(async ([path, content]) => (await readUnlinked(path)) === content));
  return found.includes(false);
}

async function wantedFiles({ layout }: Member, wanted: Configuration): Promise<[path: string, content: string][]> {
  // A standby whose leader has more of something than it would does not start: it follows the leader down only when the leader has gone first.
  const floors = wanted.standby ? (await readControlFile(layout))?.floors : undefined;
  const settings = atLeast(wanted.settings, floors ?? {});
  return [
    [join(layout.data, "perch.conf"), `# Written by Perch; changes are lost.\n${configurationText(settings)}`],
    [join(layout.data, "pg_hba.conf"), accessText(wanted.networks, wanted.door, wanted.slotSync)],
  ];
}

/** The passfile of a replica: any host, because the leader changes. */
export const writePassFile = (member: Member, password: string): Promise<boolean> => write(member, member.layout.pass, passText(password));

const passText = (password: string): string => `*:*:*:${replicationUser}:${password.replace(/[\\:]/g, "\\$&")}\n`;

/** PEM texts into the member's tls directory. Gives whether anything changed. */
export async function writeCertificates(member: Member, pem: { certificate: string; key: string; authority: string }): Promise<boolean> {
  const at = certificateFiles(member.layout);
  // The certificate last: it is what tells whether all three are there.
  const changed = [
    await write(member, at.key, pem.key),
    await write(member, at.authority, pem.authority),
    await write(member, at.certificate, pem.certificate),
  ];
  return changed.includes(true);
}

export const certificateFiles = (at: Layout): { certificate: string; key: string; authority: string } => ({
  certificate: join(at.tls, "server.crt"),
  key: join(at.tls, "server.key"),
  authority: join(at.tls, "ca.crt"),
});

/** initdb's postgresql.conf stays, with locale and samples; ours comes last and wins. */
async function includeOnce(member: Member): Promise<boolean> {
  const path = join(member.layout.data, "postgresql.conf");
  const line = "include 'perch.conf'\n";
  const text = (await readUnlinked(path)) ?? "";
  return text.endsWith(line) ? false : write(member, path, `${text.replaceAll(line, "")}\n${line}`);
}

async function setStandby(member: Member, standby: boolean): Promise<boolean> {
  const path = join(member.layout.data, "standby.signal");
  if ((await exists(path)) === standby) return false;
  if (!standby) await rm(path);
  else await write(member, path, "");
  return true;
}

async function write(member: Member, path: string, content: string): Promise<boolean> {
  if ((await readUnlinked(path)) === content) return false;
  const { owner } = member.place;
  await writeWhole(path, content, owner === undefined ? {} : { owner });
  return true;
}
