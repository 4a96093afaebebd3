/**
 * A process that has a store open: `writer.ts PATH MODE`. It says `open`, or the code of the error. Then, with `hold`,
 * it waits for the end of its input; with `write`, it writes for ever and says each revision once it is written; with
 * `fill`, it writes until that fails and says the code, the last count it finds, the last count it wrote, and whether
 * nothing is there of the write that failed.
 */
import { writeSync } from "node:fs";
import { fail, toPerchError } from "../../../../src/errors/error.ts";
import { openSqliteStore } from "../../../../src/store/sqlite/sqlite.ts";
import type { Store } from "../../../../src/store/store.ts";

const say = (line: string) => writeSync(1, `${line}\n`);

const modes: Record<string, (store: Store) => Promise<void>> = {
  async hold(store) {
    for await (const _ of process.stdin);
    await store.close();
  },
  async write(store) {
    for (let count = (await store.range("pair/")).revision + 1; ; count++) {
      const value = JSON.stringify({ count, padding: "x".repeat(count % 3000) });
      const result = await store.txn(
        [],
        [
          { put: "pair/a", value },
          { put: "pair/b", value },
          { put: `log/${count % 500}`, value },
        ],
      );
      if (!result.done) throw new Error("a transaction without compares was not done");
      say(String(result.revision));
    }
  },
  async fill(store) {
    const value = JSON.stringify("x".repeat(20_000));
    for (let count = 0; ; count++) {
      const writes = [
        { put: `full/${count}`, value },
        { put: "count", value: String(count) },
      ];
      const refused = await store.txn([], writes).then(() => undefined, toPerchError);
      if (refused === undefined) continue;
      say(refused.code);
      say((await store.get("count"))?.value ?? "");
      say(String(count - 1));
      say(String((await store.get(`full/${count}`)) === undefined));
      break;
    }
    await store.close();
  },
};

const [path = "", mode = ""] = process.argv.slice(2);
try {
  const store = await openSqliteStore({
    path,
    locked: () => fail("already_running", { home: path, pid: "?" }),
    watcherFailed: () => undefined,
  });
  say("open");
  await modes[mode]?.(store);
} catch (error) {
  say(toPerchError(error).code);
  process.exitCode = 1;
}
