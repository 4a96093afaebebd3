import { defineConfig } from "vitest/config";
import { rooms as table } from "./test/house/rooms.ts";

/**
 * Eight projects, quickest first. `test/<room>/` mirrors `src/<room>/` and is pure or nearly so; `process` runs real
 * PostgreSQL, `network` works inside a namespace, `e2e` types the CLI, `fuzz` feeds bad bytes to all that reads,
 * `faults` kills what is written to, `examples` runs `examples/`, and `house` holds the repository to its own rules.
 * `npm test` runs all of them in turn.
 */
const rooms = Object.keys(table).join(",");
const seconds = (count: number) => ({ testTimeout: count * 1000, hookTimeout: count * 1000 });
// Each of these starts a PostgreSQL or a perchd: so many at a time is what a small machine bears without a timeout that
// means nothing. Those of e2e wait more than they work.
const few = { maxWorkers: 2 };
const some = { maxWorkers: 3 };

export default defineConfig({
  test: {
    projects: [
      { test: { name: "house", include: ["test/house/**/*.test.ts"], ...seconds(120), ...few } },
      {
        test: {
          name: "unit",
          include: [`test/{${rooms}}/**/*.test.ts`],
          exclude: ["test/network/inside/**"],
          ...seconds(30),
          ...few,
          sequence: { groupOrder: 1 },
          // These files keep nothing in memory that another could meet, and loading what they test takes longer than
          // testing it.
          isolate: false,
        },
      },
      { test: { name: "process", include: ["test/process/**/*.test.ts"], ...seconds(60), ...few } },
      { test: { name: "network", include: ["test/network/inside/**/*.test.ts"], ...seconds(60), ...few } },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: "test/support/built.ts",
          ...seconds(180),
          ...some,
        },
      },
      {
        test: {
          name: "fuzz",
          include: ["test/fuzz/**/*.test.ts"],
          globalSetup: "test/support/built-apart.ts",
          ...seconds(180),
          ...few,
        },
      },
      {
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          globalSetup: "test/support/built.ts",
          ...seconds(3_600),
          ...few,
        },
      },
      {
        test: {
          name: "examples",
          include: ["test/examples/**/*.test.ts"],
          globalSetup: "test/support/built.ts",
          ...seconds(180),
          ...few,
        },
      },
    ],
  },
});
