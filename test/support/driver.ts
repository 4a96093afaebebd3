import { cp } from "node:fs/promises";
import { join } from "node:path";
import { type Example, exampleOf } from "./example.ts";
import { repository, type RunningProgram, succeeded } from "./perch.ts";
import type { World } from "./world.ts";

/**
 * A client library at work: the program of test/examples/drivers that shows its behaviours, beside the packages that
 * its example has installed.
 */
export interface Driver {
  name: string;
  /** What it cannot do without. */
  tools: readonly string[];
  /** The folder of examples/ whose packages it uses, and how they are installed. */
  example: string;
  prepare: readonly (readonly string[])[];
  program: string;
  argv: readonly string[];
  /** What its URL needs for `sslmode` to mean what PostgreSQL's manual says. */
  tls?: string;
}

const venv = [".venv/bin/pip", "install", "-q", "-r", "requirements.lock"];

export const psql: Driver = {
  name: "psql",
  tools: ["psql"],
  example: "psql",
  prepare: [],
  program: "psql.sh",
  argv: ["sh", "psql.sh"],
};

export const drivers: readonly Driver[] = [
  {
    name: "node-postgres",
    tools: ["node"],
    example: "node",
    prepare: [["npm", "install", "--no-audit", "--no-fund", "--save-exact", "pg-copy-streams@7.0.0"]],
    program: "node.mjs",
    argv: ["node", "node.mjs"],
    // Without it node-postgres verifies the certificate in every mode but `disable`.
    tls: "uselibpqcompat=true",
  },
  {
    name: "psycopg",
    tools: ["python3 -c 'import ensurepip'"],
    example: "python",
    prepare: [["python3", "-m", "venv", ".venv"], venv],
    program: "python.py",
    argv: [".venv/bin/python", "python.py"],
  },
  {
    name: "Ruby's pg",
    tools: ["ruby -rpg -e 1"],
    example: "ruby",
    prepare: [],
    program: "ruby.rb",
    argv: ["ruby", "ruby.rb"],
  },
  {
    name: "pgx",
    tools: ["go"],
    example: "go",
    prepare: [["go", "build", "-mod=readonly", "-o", "driver", "./go"]],
    program: "go",
    argv: ["./driver"],
  },
];

export interface DriverAtWork {
  driver: Driver;
  /** The last line of a behaviour's program, as JSON. It must succeed. */
  does(behaviour: string, parameters?: string): Promise<unknown>;
  /** The message that a program sees which connects with this URL in place of its own, and must not come in. */
  refused(url: string, parameters?: string): Promise<string>;
  /** What it says when it must not. */
  fails(behaviour: string, parameters: string): Promise<string>;
  /** One that goes on: its first line has the pid of its backend. */
  begin(behaviour: string): Promise<RunningProgram>;
}

/** Installs what the driver needs, outside the private network. */
export async function atWork(driver: Driver, world: World): Promise<DriverAtWork> {
  const example: Example = await exampleOf(driver.example, world);
  await cp(join(repository, "test/examples/drivers", driver.program), join(example.directory, driver.program), {
    recursive: true,
  });
  for (const argv of driver.prepare) await example.prepare(argv);
  const typed = (behaviour: string, more = "") => {
    const name = `application_name=${encodeURIComponent(`${behaviour} ${driver.name}`)}`;
    return [...driver.argv, behaviour, [name, driver.tls, more].filter(Boolean).join("&")];
  };
  const inRun = (argv: readonly string[]) => example.runIn("ams", ...argv);
  return {
    driver,
    does: async (behaviour, more) => lastLine(succeeded(await inRun(typed(behaviour, more)))),
    fails: async (behaviour, more) => {
      const { code, stderr } = await inRun(typed(behaviour, more));
      if (code === 0) throw new Error(`${driver.name} succeeded with ${more}`);
      return stderr;
    },
    refused: async (url, more) => {
      const said = lastLine(succeeded(await inRun(["env", `DATABASE_URL=${url}`, ...typed("refused", more)])));
      return (said as { message?: string }).message ?? String(said);
    },
    begin: (behaviour) => example.serve(...typed(behaviour)),
  };
}

export const lastLine = (text: string): unknown => JSON.parse(text.trim().split("\n").at(-1) ?? "");
