/**
 * What people type who come from other tools (flyctl, Heroku, Docker, Dokku), and what does it here. Pure data, in
 * three kinds: a phrase that means exactly one of our commands runs it; one that means something near is answered with
 * the way to do it here; and so is a word that a command of ours does not take. `find.ts` asks about the first two,
 * `main.ts` about the third.
 */
const synonyms: Readonly<Record<string, string>> = {
  info: "status",
  postgresql: "postgres",
  cluster: "postgres",
  clusters: "postgres",
  db: "postgres db",
  databases: "postgres db",
  users: "postgres users",
  "regions list": "platform regions",
  "regions ls": "platform regions",
  "postgres info": "postgres status",
  "postgres show": "postgres status",
  "postgres psql": "postgres connect",
  "postgres link": "postgres attach",
  "postgres unlink": "postgres detach",
  "postgres credentials": "postgres users list",
  "postgres logs": "logs",
  "postgres events": "events",
  "postgres events list": "events",
  "postgres doctor": "doctor",
  "apps show": "status",
  "apps status": "status",
};

const destroying =
  "Destroy a cluster with: perch postgres destroy NAME, an app with: perch apps destroy NAME, a replica with: perch machine destroy ID";
const listing =
  "perch status shows all there is; or list one kind: perch apps list, perch postgres list, perch machine list";
const creating = "Create a cluster with: perch postgres create NAME, an app with: perch apps create NAME";
const settings =
  "Variables of an app are its secrets: perch secrets list -a APP. Settings of PostgreSQL: perch postgres config show -a CLUSTER";
const setting = "Set a variable of an app with: perch secrets set -a APP NAME=VALUE";
const reading = "Values are not shown; a run has them: perch run -a APP -- printenv NAME";
const upgrading = "Install the new version of Perch, then type: perch up. It takes the place of the one that runs";
const building = "Perch runs what is on this host and builds nothing: perch run -a APP -- COMMAND";
const membersStart =
  "Start a member with: perch machine start ID (perch machine list has the ids), all of Perch with: perch up";
const membersStop =
  "Stop a member with: perch machine stop ID (perch machine list has the ids), all of Perch with: perch down";

const habits: Readonly<Record<string, string>> = {
  init: "Start with: perch quickstart",
  install: "Put it on the PATH with: perch install-cli",
  launch: "Make the app with: perch apps create NAME, and run it with: perch run -a NAME -- COMMAND",
  deploy:
    "Perch builds nothing; run the app with: perch run -a APP -- COMMAND (--watch restarts it when its secrets change)",
  "secrets deploy": "Secrets reach the app at its next start; perch run --watch restarts it when they change",
  open: "Run the app with: perch run -a APP --publish 3000 -- COMMAND, and open http://localhost:3000",
  "apps open": "Run the app with: perch run -a APP --publish 3000 -- COMMAND, and open http://localhost:3000",
  "apps restart": "Stop and start its perch run; with --watch it restarts when its secrets change",
  scale:
    "A cluster grows by replicas: perch machine clone ID --region REGION -a CLUSTER (perch machine list has the ids)",
  "scale count":
    "A cluster grows by replicas: perch machine clone ID --region REGION -a CLUSTER (perch machine list has the ids)",
  "scale show": "List the machines with: perch machine list",
  restart: "Restart a cluster with: perch postgres restart -a CLUSTER",
  "machine restart": "Restart a cluster, replicas first, with: perch postgres restart -a CLUSTER",
  checks: "perch status shows how everything is, perch doctor -a APP why an app cannot connect",
  "checks list": "perch status shows how everything is, perch doctor -a APP why an app cannot connect",
  volume: "Data of machines lies below PERCH_HOME: perch status names it",
  volumes: "Data of machines lies below PERCH_HOME: perch status names it",
  "volumes list": "Data of machines lies below PERCH_HOME: perch status names it",
  ips: "Addresses of a name: perch dig NAME.internal; a cluster is opened to other hosts by perch postgres expose",
  "ips list":
    "Addresses of a name: perch dig NAME.internal; a cluster is opened to other hosts by perch postgres expose",
  image: "PostgreSQL comes from the system: upgrade its packages, then type: perch postgres restart -a CLUSTER",
  "image update":
    "PostgreSQL comes from the system: upgrade its packages, then type: perch postgres restart -a CLUSTER",
  auth: "On this host no login is needed; for the perchd of another host: perch login HOST:PORT",
  "auth login": "On this host no login is needed; for the perchd of another host: perch login HOST:PORT",
  console: "Open a shell with an app's secrets with: perch shell -a APP",
  exec: "Run a command with an app's secrets with: perch run -a APP -- COMMAND",
  create: creating,
  new: creating,
  add: creating,
  destroy: destroying,
  delete: destroying,
  remove: destroying,
  rm: destroying,
  list: listing,
  ls: listing,
  top: "perch status shows what runs, perch events -f what happens",
  monitor: "perch status shows what runs, perch events -f what happens",
  config: settings,
  "config set": setting,
  "config unset": "Remove a variable of an app with: perch secrets unset -a APP NAME",
  "config get": reading,
  env: settings,
  "env set": setting,
  "secrets get": reading,
  "secrets show": reading,
  addons:
    "Create a cluster with: perch postgres create NAME, and give it to an app with: perch postgres attach NAME --app APP",
  build: building,
  pull: building,
  push: building,
  compose: "Start Perch with: perch up, and run an app with: perch run -a APP -- COMMAND",
  update: upgrading,
  upgrade: upgrading,
  uninstall:
    "Stop Perch with: perch down, and take its link away with: perch install-cli --remove. What systemd keeps: perch systemd uninstall",
  whoami: "On this host no login is needed; for the perchd of another host: perch login HOST:PORT",
  members: listing,
  replicas: listing,
  services: listing,
  "machine status": "perch machine list shows the state of every machine",
  "machine run": "Run a command as a machine of an app with: perch run -a APP -- COMMAND",
  "machine exec": "Run a command beside the others of an app with: perch run -a APP -- COMMAND",
  "postgres start": membersStart,
  "postgres stop": membersStop,
  "apps start": "Run the app with: perch run -a APP -- COMMAND",
  "apps stop": "An app ends with its perch run: Ctrl-C there",
  "postgres rename":
    "A cluster keeps its name. Create another with: perch postgres create NAME, and copy the data with pg_dump",
  "postgres proxy": "Lead a port of this host to a cluster with: perch proxy 15432 -a CLUSTER",
  "postgres export": "Back up a database with: perch run -a APP -- sh -c 'pg_dump -Fc \"$DATABASE_URL\"' > app.dump",
  "postgres dump": "Back up a database with: perch run -a APP -- sh -c 'pg_dump -Fc \"$DATABASE_URL\"' > app.dump",
  "postgres import":
    "Copy a database with: pg_dump -Fc URL | perch run -a APP -- sh -c 'pg_restore --no-owner -d \"$DATABASE_URL\"'",
  "postgres backup": "Back up a database with: perch run -a APP -- sh -c 'pg_dump -Fc \"$DATABASE_URL\"' > app.dump",
};

/** `command`: of a whole name. `word`: the first that it does not take; one that is no flag stands for a name. */
const mistakes: readonly { command: RegExp; word: RegExp; instead: string }[] = [
  {
    command: /^up$/,
    word: /^(-d|--detach)$/,
    instead: "perch up goes to the background by itself: type it without flags",
  },
  { command: /^up$/, word: /^[^-]/, instead: membersStart },
  {
    command: /^down$/,
    word: /^(-v|--volumes)$/,
    instead: "perch down keeps all data. Destroy a cluster with: perch postgres destroy CLUSTER",
  },
  { command: /^down$/, word: /^[^-]/, instead: membersStop },
  { command: /^status$/, word: /^(-w|--watch)$/, instead: "Follow what happens with: perch events -f" },
  {
    command: /^logs$/,
    word: /^(-t|--tail|--lines|--num)(=|$)/,
    instead: "The last lines: perch logs -a CLUSTER -n 50; and those to come: perch logs -a CLUSTER -f",
  },
  {
    command: /^(run|shell)$/,
    word: /^(-[itd]+|--rm|--interactive|--tty|--detach)$/,
    instead: "A run has the terminal and leaves nothing behind: perch run -a APP -- COMMAND",
  },
  {
    command: /^postgres (attach|detach)$/,
    word: /^--postgres-app(=|$)/,
    instead: "The cluster stands first: perch postgres attach CLUSTER --app APP",
  },
  {
    command: /./,
    word: /^(-o|--org|--vm-|--volume-|--image-ref|--flex|--stolon|--autostart|--ha\b)/,
    instead:
      "Perch has no organizations, VM sizes, volumes or images to choose from: repeat the command without that flag",
  },
];

/** What stands for the longest beginning of the words, of at most three, and how many of them it was. */
function longest(
  table: Readonly<Record<string, string>>,
  words: readonly string[],
): { meant: string; used: number } | undefined {
  for (let used = Math.min(words.length, 3); used > 0; used--) {
    const phrase = words.slice(0, used).join(" ");
    const meant = Object.hasOwn(table, phrase) ? table[phrase] : undefined;
    if (meant !== undefined) return { meant, used };
  }
  return undefined;
}

/** The words with a phrase at their beginning replaced by our command for it; undefined where there is none. */
export function synonymOf(words: readonly string[]): readonly string[] | undefined {
  const found = longest(synonyms, words);
  return found && [...found.meant.split(" "), ...words.slice(found.used)];
}

/** The way to do here what these words ask for; undefined where they are nothing known. */
export const habitOf = (words: readonly string[]): string | undefined => longest(habits, words)?.meant;

/** The way to do here what was asked of a command by words that it does not take. */
export const mistakeIn = (command: string, words: readonly string[]): string | undefined =>
  mistakes.find((mistake) => mistake.command.test(command) && words.some((word) => mistake.word.test(word)))?.instead;

export const habitPhrases: readonly string[] = Object.keys(habits);
export const synonymPhrases: readonly string[] = Object.keys(synonyms);
