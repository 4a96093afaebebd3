import { rename, rm } from "node:fs/promises";
import { fail } from "../errors/error.ts";
import { permissions, readText, syncDirectory, writeWhole } from "../host/files/files.ts";
import { parseSecretKey, type SecretKey } from "./secret-key.ts";

/** The file of the key, and the one beside it that holds the next while the key is being changed. */
export interface KeyFile {
  readonly path: string;
  /** Undefined where there is none. Rejects with `key_unsafe`, `key_unreadable` or `key_damaged`. */
  read(): Promise<SecretKey | undefined>;
  write(key: SecretKey): Promise<void>;
}

export const keyFile = (path: string): KeyFile => ({
  path,
  async read() {
    const mode = await readable(path, permissions(path));
    if (mode === undefined) return undefined;
    if ((mode & 0o077) !== 0) throw fail("key_unsafe", { path, mode: mode.toString(8) });
    const text = await readable(path, readText(path));
    return text === undefined ? undefined : parseSecretKey(text, path);
  },
  write: (key) => writeWhole(path, key.text),
});

export const nextKeyFile = ({ path }: KeyFile): KeyFile => keyFile(`${path}.next`);

/** The next key becomes the key; the one before is gone. */
export async function takeNext(file: KeyFile): Promise<void> {
  await rename(nextKeyFile(file).path, file.path).catch((error: NodeJS.ErrnoException) => {
    throw fail("key_unreadable", { path: file.path, why: error.message }, error);
  });
  await syncDirectory(file.path);
}

export const dropNext = (file: KeyFile): Promise<void> => rm(nextKeyFile(file).path, { force: true });

const readable = <T>(path: string, reading: Promise<T>): Promise<T> =>
  reading.catch((error: NodeJS.ErrnoException) => {
    throw fail("key_unreadable", { path, why: reasons[error.code ?? ""] ?? error.message }, error);
  });

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  ELOOP: "it is a symbolic link in a circle",
};
