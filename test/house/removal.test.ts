import { expect, it } from "vitest";
import { files, read } from "./files.ts";

/** A data directory goes in one file, for a proof that one other file asks for. */
const sources = () => files(/^src\/.*\.ts$/).map((path) => ({ path, text: read(path) }));
const remover = "src/postgres/instance/data-removal.ts";

/** Who may remove a tree in the rooms that know data directories, and which. */
const trees: Readonly<Record<string, string>> = {
  [remover]: "for a proof",
  "src/postgres/replication/base-backup.ts": "a copy that did not become whole",
  "src/postgres/instance/binaries.ts": "a copy of the binaries that did not become whole",
  "src/postgres/instance/initdb.ts": "a new data directory that did not become whole",
  "src/postgres/instance/leftovers.ts": "names that are used for what is half made or half removed",
  "src/postgres/instance/validate-settings.ts": "a scratch directory",
};

it("trees are removed in the rooms of data directories by these files alone", () => {
  const removing = sources().filter(
    ({ path, text }) =>
      /^src\/(postgres|reconcile|engine|cluster)\//.test(path) && /removeTree|recursive: true, force|rmdir/.test(text),
  );
  expect(removing.map(({ path }) => path).toSorted()).toEqual(Object.keys(trees).toSorted());
});

it("a data directory is renamed by nobody but the one file, and by those who make one under another name", () => {
  const renaming = sources().filter(({ text }) => /rename\([^)]*\.data\b/.test(text));
  expect(renaming.map(({ path }) => path).toSorted()).toEqual([
    remover,
    "src/postgres/instance/initdb.ts",
    "src/postgres/replication/base-backup.ts",
  ]);
});

it("proofs are asked for in one file, which alone knows what is known of a cluster", () => {
  const asking = sources().filter(
    ({ path, text }) =>
      path !== remover && /\bprove(Farewell)?\b.* from "[./]*postgres\/instance\/data-removal\.ts"/.test(text),
  );
  expect(asking.map(({ path }) => path)).toEqual(["src/reconcile/evidence.ts"]);
});

it("what changes a data directory in place runs under a proof", () => {
  const rewinding = sources().filter(({ text }) => /"pg_rewind", \[/.test(text));
  expect(rewinding.map(({ path }) => path)).toEqual(["src/postgres/replication/rewind.ts"]);
  expect(rewinding[0]?.text).toMatch(/overwriteData\(member, proof/);
});

it("observe only looks: it knows nothing of what removes, replaces or overwrites", () => {
  const looking = sources().filter(({ path }) =>
    /^src\/(reconcile\/(observe|apart|plan|replicas|spare|notices)|cluster\/view)\.ts$/.test(path),
  );
  expect(looking.length).toBe(7);
  const knowing = looking.filter(({ text }) =>
    /installCopy|removeFormer|removeMember|overwriteData|proofFor|farewellFor|from "\.\/replace\.ts"/.test(text),
  );
  expect(knowing.map(({ path }) => path)).toEqual([]);
});
