import { join } from "node:path";
import { makeDirectory, readText, writeWhole } from "../host/files.ts";
import type { Home } from "../host/home.ts";
import { type Credentials, makeAuthority } from "../postgres/certificate.ts";

/** The network's certificate authority: `ca/ca.crt` and `ca/ca.key` in the home, made at the first start. */
export async function openAuthority(home: Home): Promise<Credentials> {
  const directory = join(home.root, "ca");
  const paths = { certificate: join(directory, "ca.crt"), key: join(directory, "ca.key") };
  const [certificate, key] = await Promise.all([readText(paths.certificate), readText(paths.key)]);
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  const made = await makeAuthority(`Perch ${home.id}`);
  await makeDirectory(directory);
  await writeWhole(paths.key, made.key);
  await writeWhole(paths.certificate, made.certificate, { mode: 0o644 });
  return made;
}
