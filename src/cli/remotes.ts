import { join } from "node:path";
import { fetchAuthority, type Remote, remoteName } from "../client/remote.ts";
import { fail } from "../errors/error.ts";
import { makeDirectory, permissions, readText, removeTree, writeWhole } from "../host/files/files.ts";
import { printable } from "../model/name.ts";
import { fingerprintIn } from "../model/token.ts";

/**
 * Where other hosts are and what lets us in there: `logins/HOST_PORT.json` in the home, 0600, written by `perch
 * login`; or PERCH_TOKEN. A token is in the environment, in that file or typed unseen, never an argument.
 */
export type Place = Pick<Remote, "host" | "port">;

/** `db.example.com:6643`, `[2001:db8::1]:6643`. Throws remote_invalid. */
export function parseRemote(text: string): Place {
  const [, six, name, digits] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = six ?? name;
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= 65_535)) throw fail("remote_invalid", { value: printable(text) });
  return { host: host.toLowerCase(), port };
}

const fileOf = (base: string, place: Place): string =>
  join(base, "logins", `${remoteName(place).replace(/[^a-z0-9.-]/g, "_")}.json`);

/** PERCH_TOKEN wins over the login. Throws not_logged_in. */
export async function remoteOf(base: string, place: Place, env: NodeJS.ProcessEnv): Promise<Remote> {
  const saved = await login(base, place);
  const given = env["PERCH_TOKEN"];
  if (given === undefined || given === "") {
    if (saved === undefined) throw fail("not_logged_in", { host: remoteName(place) });
    return saved;
  }
  const known =
    saved !== undefined && fingerprintIn(saved.token) === fingerprintIn(given) ? saved.authority : undefined;
  return { ...place, token: given, authority: known ?? (await fetchAuthority(place, given)) };
}

async function login(base: string, place: Place): Promise<Remote | undefined> {
  const path = fileOf(base, place);
  const text = await readText(path);
  if (text === undefined) return undefined;
  const mode = (await permissions(path)) ?? 0;
  if ((mode & 0o077) !== 0) throw fail("key_unsafe", { path, mode: mode.toString(8) });
  try {
    const { token, authority } = JSON.parse(text) as Partial<Remote>;
    return token === undefined || authority === undefined ? undefined : { ...place, token, authority };
  } catch {
    return undefined; // as good as none: perch login writes it anew
  }
}

export async function keepLogin(base: string, remote: Remote): Promise<void> {
  const { host, port } = remote;
  const path = fileOf(base, { host, port });
  await makeDirectory(join(base, "logins"));
  await writeWhole(
    path,
    `${JSON.stringify({ remote: remoteName(remote), authority: remote.authority, token: remote.token })}\n`,
  );
}

/** Whether there was one. */
export async function forgetLogin(base: string, place: Place): Promise<boolean> {
  const path = fileOf(base, place);
  const was = (await permissions(path)) !== undefined;
  await removeTree(path);
  return was;
}
