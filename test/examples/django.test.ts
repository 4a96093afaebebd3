import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { missingTools } from "../support/tools.ts";
import { eventually } from "../support/world.ts";

describe.skipIf(missingTools("python3 -c 'import ensurepip'"))("examples/django", () => {
  let django: Example;
  const python = ".venv/bin/python";

  beforeAll(async () => {
    django = await exampleOf("django");
    await django.prepare(["python3", "-m", "venv", ".venv"]);
    await django.prepare([".venv/bin/pip", "install", "-q", "-r", "requirements.lock"]);
    await attach(django);
  });

  it("migrates: the tables belong to the app's role", async () => {
    await django.run(python, "manage.py", "migrate");
    expect(await django.rows("SELECT tableowner FROM pg_tables WHERE tablename = 'greetings_greeting'")).toEqual([
      { tableowner: "web" },
    ]);
    expect(await django.rows("SELECT name FROM django_migrations WHERE app = 'greetings'")).toEqual([
      { name: "0001_initial" },
    ]);
    expect(await django.run(python, "manage.py", "makemigrations", "--check")).toBe("No changes detected\n");
  });

  it("answers a request of another app by its model's rows", async () => {
    const server = await django.serve(python, "manage.py", "runserver", "--noreload", "-6", "[::]:8000");
    const ask = "import urllib.request; print(urllib.request.urlopen('http://web.internal:8000/').read().decode())";
    const { answer } = await eventually("Django answers", async () => {
      const asked = await django.world.perch(["run", "--", "python3", "-c", ask]);
      return asked.code === 0 && asked.stdout;
    });
    server.kill("SIGTERM");
    await server.ended;
    expect(JSON.parse(answer)).toEqual({ greetings: [{ word: "Hello, world!", region: "ams" }] });
    expect(await django.rows("SELECT word, region FROM greetings_greeting")).toEqual([
      { word: "Hello, world!", region: "ams" },
    ]);
  });

  it("takes the URL from .env where no app has set it", async () => {
    const file = join(django.directory, ".env");
    await writeFile(file, `DATABASE_URL=${(await django.run("printenv", "DATABASE_URL")).trim()}\n`, { mode: 0o600 });
    const create = "from greetings.models import Greeting; Greeting.objects.create(word='from .env', region='')";
    const created = await django.world.perch(["run", "--", python, "manage.py", "shell", "-c", create], {
      cwd: django.directory,
    });
    await rm(file);
    expect(created).toMatchObject({ code: 0 });
    expect(await django.rows("SELECT word FROM greetings_greeting ORDER BY id DESC LIMIT 1")).toEqual([
      { word: "from .env" },
    ]);
  });
});
