import { readFileSync } from "node:fs";
import { DatabaseSync } from "@photostructure/sqlite";
import { describe, expect, it } from "vitest";
import { openSecret } from "../../../src/vault/sealed-secret.ts";
import { state as stateOf } from "../../../src/store/records.ts";
import { refuseUnknown } from "../../../src/store/known.ts";
import { knownSchema, migrate, migrations } from "../../../src/store/sqlite/schema.ts";
import { keyFile } from "../../../src/vault/key-file.ts";
import { openVault } from "../../../src/vault/open-vault.ts";
import { openWireGuardKey } from "../../../src/vault/wireguard-key.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { change, copyInto, recordsIn, releasedVersions, schemaIn, sealedIn } from "../copies.ts";
import { storeAt } from "../open.ts";

const changelog = readFileSync(new URL("../../../CHANGELOG.md", import.meta.url), "utf8");

describe("the state of earlier versions", () => {
  it("is kept of every version that the changelog names", () => {
    const released = [...changelog.matchAll(/^## (\d+\.\d+\.\d+)$/gm)].map(([, version]) => version);
    expect(released.length).toBeGreaterThan(0);
    expect(new Set(releasedVersions)).toEqual(new Set(released));
  });

  it.each(releasedVersions)(
    "of %s is read whole by this one, its secrets too, and gets this one's schema",
    async (version) => {
      const home = temporaryDirectory();
      const path = copyInto(home, version);
      const before = recordsIn(path);
      const store = await storeAt(path);
      await refuseUnknown(store);
      const state = stateOf(store);
      const vault = await openVault(keyFile(`${home}/secret.key`), state);
      const opened = (await state.secrets.list()).map((secret) => [
        `${secret.app}/${secret.name}`,
        openSecret(vault, secret),
      ]);
      const network = await state.network.get({});
      const [rotation] = await state.rotations.list();
      expect({
        ...Object.fromEntries(opened),
        wireguard: network?.wireguard && openWireGuardKey(vault, network.wireguard),
        rotation: vault.open(`${rotation?.cluster}/${rotation?.user}`, rotation?.sealed ?? ""),
      }).toEqual(sealedIn(version));
      await store.close();
      expect(Object.keys(before).length).toBeGreaterThan(15);
      // What an earlier one did not write down: with which key everything is sealed.
      expect(recordsIn(path)).toEqual({ key: { id: expect.any(String) as string }, ...before });
      expect(schemaIn(path)).toBe(knownSchema);
    },
  );
});

describe("a migration", () => {
  const opened = (path: string) => new DatabaseSync(path);
  const next = [...migrations, "CREATE TABLE next (n INTEGER) STRICT; INSERT INTO next SELECT count(*) FROM kv"];

  it.each(releasedVersions)("of the state of %s is done once, and kept", (version) => {
    const path = copyInto(temporaryDirectory(), version);
    for (const round of [1, 2]) {
      const db = opened(path);
      migrate(db, next);
      expect(db.prepare("SELECT n FROM next").all(), `round ${round}`).toEqual([
        { n: Object.keys(recordsIn(path)).length },
      ]);
      db.close();
    }
    expect(schemaIn(path)).toBe(next.length);
  });

  it.each(releasedVersions)(
    "of the state of %s that fails in its last step leaves the file with none of them",
    (version) => {
      const path = copyInto(temporaryDirectory(), version);
      const before = { schema: schemaIn(path), records: recordsIn(path) };
      const db = opened(path);
      expect(() => migrate(db, [...next, "DELETE FROM kv; INSERT INTO no_such_table VALUES (1)"])).toThrow(
        "no_such_table",
      );
      db.close();
      expect({ schema: schemaIn(path), records: recordsIn(path) }).toEqual(before);
      expect(() => change(path, "SELECT * FROM next")).toThrow("no such table");
    },
  );
});

describe("the state of a later version", () => {
  it("is refused for its schema, and the file stays as it is to the byte", async () => {
    const path = copyInto(temporaryDirectory(), releasedVersions[0] ?? "");
    change(path, `UPDATE meta SET value = ${knownSchema + 1}`);
    const before = readFileSync(path);
    await expect(storeAt(path)).rejects.toMatchObject({
      code: "state_newer",
      message: expect.stringContaining(`schema ${knownSchema + 1}`) as string,
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});
