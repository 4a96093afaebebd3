import { cp } from "node:fs/promises";
import { join } from "node:path";
import { repository, runToEnd, succeeded } from "./perch.ts";
import { temporaryDirectory } from "./temporary.ts";

/**
 * Prisma's CLI downloads its schema engine. Where that cannot be had, `test/support/prisma/` stands in for it: the same
 * engine, compiled to WebAssembly and on node-postgres, installed in a directory of its own. The client
 * (`prisma.post.create`) is the real one either way. Gives what runs, and the environment it wants.
 */
export async function schemaEngine(): Promise<{ which: string; env: Record<string, string> }> {
  const directory = temporaryDirectory();
  const install = async (...packages: string[]) =>
    succeeded(
      await runToEnd(["npm", "install", "--no-save", "--no-audit", "--no-fund", ...packages], { cwd: directory }),
    );
  await install(`prisma@${version}`);
  if ((await runToEnd(["npx", "prisma", "version"], { cwd: directory })).code === 0)
    return { which: "Prisma's own", env: {} };
  await cp(join(repository, "test/support/prisma"), directory, { recursive: true });
  await install(
    `prisma@${version}`,
    `@prisma/adapter-pg@${version}`,
    `@prisma/schema-engine-wasm@${version}-7.561d7b42579a2459cc8edf3788918b626c640023`,
  );
  return {
    which: "the stand-in of test/support/prisma",
    env: { PRISMA_SCHEMA_ENGINE_BINARY: join(directory, "schema-engine.mjs") },
  };
}

const version = "7.10.0";
