/**
 * Keeps the state that this version of Perch writes, for the tests of every later one (test/store/copies.ts):
 * test/store/released/VERSION/ with perch.db, its key, and what is sealed in it. A release does this once, and nothing
 * changes it afterwards.
 *
 *     npm run keep-state            refuses where the version has its copy
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fail } from "../src/errors/error.ts";
import { perchVersion } from "../src/host/system/version.ts";
import { openEvents } from "../src/store/events.ts";
import { keyFile } from "../src/vault/key-file.ts";
import { state as stateOf } from "../src/store/records.ts";
import { newSecretKey } from "../src/vault/secret-key.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite.ts";
import type { Write } from "../src/store/store.ts";
import { sample, sampleSecrets } from "./state/sample.ts";

const directory = fileURLToPath(new URL(`../test/store/released/${perchVersion()}`, import.meta.url));
if (existsSync(directory)) {
  process.stderr.write(`${directory} is there already: what a version wrote does not change\n`);
  process.exit(1);
}
mkdirSync(directory, { recursive: true });

const secretKey = newSecretKey();
await keyFile(join(directory, "secret.key")).write(secretKey);
const store = await openSqliteStore({
  path: join(directory, "perch.db"),
  locked: () => fail("already_running", { home: directory, pid: "unknown" }),
  watcherFailed: (error) => {
    throw error;
  },
});
const state = stateOf(store);
const { network, apps, clusters, machines, key, secrets, attachments, rotations, peers, remote, tokens } =
  sample(secretKey);
const writes: Write[] = [
  ...network.map((record) => state.network.put(record)),
  ...apps.map((record) => state.apps.put(record)),
  ...clusters.map((record) => state.clusters.put(record)),
  ...machines.map((record) => state.machines.put(record)),
  ...key.map((record) => state.key.put(record)),
  ...secrets.map((record) => state.secrets.put(record)),
  ...attachments.map((record) => state.attachments.put(record)),
  ...rotations.map((record) => state.rotations.put(record)),
  ...peers.map((record) => state.peers.put(record)),
  ...remote.map((record) => state.remote.put(record)),
  ...tokens.map((record) => state.tokens.put(record)),
];
await state.commit([], writes);
await (await openEvents(store)).append("pg", "this state was kept");
await store.close();
writeFileSync(join(directory, "sealed.json"), `${JSON.stringify(sampleSecrets, undefined, 2)}\n`);
process.stdout.write(`${directory} holds ${writes.length} records\n`);
