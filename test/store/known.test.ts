import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refuseUnknown } from "../../src/store/known.ts";
import type { Store } from "../../src/store/store.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { copyInto, releasedVersions } from "./copies.ts";
import { storeAt } from "./open.ts";

describe("what perchd looks for before it does anything about its state", () => {
  let store: Store;
  beforeEach(async () => {
    store = await storeAt(copyInto(temporaryDirectory(), releasedVersions.at(-1) ?? ""));
  });
  afterEach(() => store.close());

  /** Changes one record as a version that knows more would have. */
  async function rewrite(key: string, edit: (record: Record<string, unknown>) => unknown): Promise<void> {
    const record = JSON.parse((await store.get(key))?.value ?? "{}") as Record<string, unknown>;
    await store.txn([], [{ put: key, value: JSON.stringify(edit(record)) }]);
  }

  it("is content with records it knows", async () => {
    await expect(refuseUnknown(store)).resolves.toBeUndefined();
  });

  it("refuses a record of a kind that it does not know", async () => {
    await store.txn([], [{ put: "volumes/v1", value: "{}" }]);
    await expect(refuseUnknown(store)).rejects.toMatchObject({
      code: "state_newer",
      message: expect.stringContaining("volumes/v1") as string,
    });
  });

  it("refuses a field that it does not know, at any depth, and says which", async () => {
    await rewrite("clusters/pg", (cluster) => ({
      ...cluster,
      exposure: { ...(cluster["exposure"] as object), country: "nl" },
    }));
    await expect(refuseUnknown(store)).rejects.toMatchObject({
      code: "state_newer",
      message:
        "the state in record clusters/pg was written by a newer Perch: this one knows no field exposure.country of it",
    });
  });

  it("refuses a record that is not what it must be", async () => {
    await rewrite("machines/m1", (machine) => ({ ...machine, region: undefined }));
    await expect(refuseUnknown(store)).rejects.toMatchObject({
      code: "state_damaged",
      message: expect.stringContaining("machines/m1") as string,
    });
    await store.txn([], [{ put: "machines/m1", value: "no JSON" }]);
    await expect(refuseUnknown(store)).rejects.toMatchObject({ code: "state_damaged" });
  });

  it("lets events be, which nobody rewrites", async () => {
    await store.txn([], [{ put: "events/000000000009", value: '{"id":9,"at":"soon","mood":"good"}' }]);
    await expect(refuseUnknown(store)).resolves.toBeUndefined();
  });
});
