/**
 * What people type who come from other tools, and the command of Perch that does it. Pure data: `find.ts` asks it about words that are no command.
 * A word that means exactly one of our commands runs it (`find.ts`); one that means something near is answered with the way to do it here.
 */
const habits: Readonly<Record<string, string>> = {
  init: "Start with: perch quickstart",
  install: "Put it on the PATH with: perch install-cli",
  launch: "Make the app with: perch apps create NAME, and run it with: perch run -a NAME -- COMMAND",
  deploy: "Perch builds nothing; run the app with: perch run -a APP -- COMMAND (--watch restarts it when its secrets change)",
  "secrets deploy": "Secrets reach the app at its next start; perch run --watch restarts it when they change",
  open: "Run the app with: perch run -a APP --publish 3000 -- COMMAND, and open http://localhost:3000",
  "apps open": "Run the app with: perch run -a APP --publish 3000 -- COMMAND, and open http://localhost:3000",
  "apps restart": "Stop and start its perch run; with --watch it restarts when its secrets change",
  scale: "A cluster grows by replicas: perch machine clone ID --region REGION -a CLUSTER (perch machine list has the ids)",
  "scale count": "A cluster grows by replicas: perch machine clone ID --region REGION -a CLUSTER (perch machine list has the ids)",
  "scale show": "List the machines with: perch machine list",
  restart: "Restart a cluster with: perch postgres restart -a CLUSTER",
  "machine restart": "Restart a cluster, replicas first, with: perch postgres restart -a CLUSTER",
  checks: "perch status shows how everything is, perch doctor -a APP why an app cannot connect",
  "checks list": "perch status shows how everything is, perch doctor -a APP why an app cannot connect",
  volumes: "Data of machines lies below PERCH_HOME: perch status names it",
  "volumes list": "Data of machines lies below PERCH_HOME: perch status names it",
  ips: "Addresses of a name: perch dig NAME.internal; a cluster is opened to other machines by perch postgres expose",
  "ips list": "Addresses of a name: perch dig NAME.internal; a cluster is opened to other machines by perch postgres expose",
  image: "PostgreSQL comes from the system: upgrade its packages, then type: perch postgres restart -a CLUSTER",
  "image update": "PostgreSQL comes from the system: upgrade its packages, then type: perch postgres restart -a CLUSTER",
  auth: "On one machine nobody signs in; for the perchd of another machine: perch login HOST:PORT",
  "auth login": "On one machine nobody signs in; for the perchd of another machine: perch login HOST:PORT",
  console: "Open a shell with an app's secrets with: perch shell -a APP",
  exec: "Run a command with an app's secrets with: perch run -a APP -- COMMAND",
  "postgres import": "Copy a database with: pg_dump -Fc URL | perch run -a APP -- sh -c 'pg_restore --no-owner -d \"$DATABASE_URL\"'",
  "postgres backup": "Back up a database with: perch run -a APP -- sh -c 'pg_dump -Fc \"$DATABASE_URL\"' > app.dump",
};

/** The way to do here what these words ask for; undefined where they are nothing known. The longest beginning of the words counts. */
export function habitOf(words: readonly string[]): string | undefined {
  for (let length = Math.min(words.length, 2); length > 0; length--) {
    const phrase = words.slice(0, length).join(" ");
    if (Object.hasOwn(habits, phrase)) return habits[phrase];
  }
  return undefined;
}

export const habitPhrases: readonly string[] = Object.keys(habits);
