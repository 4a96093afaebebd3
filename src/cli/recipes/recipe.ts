/**
 * Recipes: how a client connects, as `perch postgres recipe` prints it and docs/clients/ shows it. Their words and
 * lines are those of `examples/`, whose tests run them; here stands only which files a person writes, and what the
 * example keeps elsewhere. `read.ts` reads them, `own.ts` puts the app's own names in, `text.ts` writes it down.
 */
export interface Recipe {
  /**
   * The files to write, in the folder of `examples/` that is called as the client. What a generator of the client makes
   * is left out.
   */
  readonly files: readonly string[];
  /** A line of the README that relies on a lock file, which nobody writes by hand, and the same without. */
  readonly unlocked?: readonly [withLock: string, without: string];
  /**
   * Where the file does not name the variable, because the client looks for DATABASE_URL by itself: what must be
   * written for another.
   */
  readonly otherVariable?: readonly [written: string, withName: string];
  /**
   * For a pooler whose clients may prepare no statements: what is written otherwise. Absent where the client prepares
   * none unless it is asked to.
   */
  readonly unprepared?: readonly (readonly [written: string, without: string])[];
}

const npm = ["npm ci", "npm install"] as const;
const pip = ["-r requirements.lock", "-r requirements.txt"] as const;
const visit = ["models/visit.js", "migrations/20261124080000-create-visit.js"] as const;

export const recipes: Readonly<Record<string, Recipe>> = {
  psql: { files: ["connections.sql"] },
  ruby: { files: ["Gemfile", "connections.rb", "nearest.rb"] },
  rails: {
    files: [
      "Gemfile",
      "config/database.yml",
      "config/routes.rb",
      "db/migrate/20261124080000_create_posts.rb",
      "app/models/post.rb",
      "app/controllers/posts_controller.rb",
    ],
    otherVariable: ["  encoding: unicode\n", '  encoding: unicode\n  url: <%= ENV["DATABASE_URL"] %>\n'],
    unprepared: [
      ["  encoding: unicode\n", "  encoding: unicode\n  prepared_statements: false\n  advisory_locks: false\n"],
    ],
  },
  python: {
    files: ["requirements.txt", "main.py", "nearest.py"],
    unlocked: pip,
    unprepared: [["connect(conninfo)", "connect(conninfo, prepare_threshold=None)"]],
  },
  django: {
    files: ["requirements.txt", "mysite/settings.py", "mysite/urls.py", "greetings/models.py", "greetings/views.py"],
    unlocked: pip,
    otherVariable: ['"default": env.db(),', '"default": env.db("DATABASE_URL"),'],
  },
  sqlalchemy: {
    files: ["requirements.txt", "main.py"],
    unlocked: pip,
    unprepared: [["create_engine(url)", 'create_engine(url, connect_args={"prepare_threshold": None})']],
  },
  asyncpg: {
    files: ["requirements.txt", "main.py"],
    unlocked: pip,
    unprepared: [
      [
        'asyncpg.connect(os.environ["DATABASE_URL"])',
        'asyncpg.connect(os.environ["DATABASE_URL"], statement_cache_size=0)',
      ],
    ],
  },
  "sqlalchemy-async": {
    files: ["requirements.txt", "main.py"],
    unlocked: pip,
    unprepared: [
      [
        "create_async_engine(url)",
        'create_async_engine(\n    url,\n    connect_args={"statement_cache_size": 0, "prepared_statement_cache_size": 0, "prepared_statement_name_func": lambda: ""},\n)',
      ],
    ],
  },
  jdbc: {
    files: ["pom.xml", "lib.sha256", "Main.java"],
    unprepared: [
      [
        '    properties.setProperty("password", login[1]);\n',
        '    properties.setProperty("password", login[1]);\n    properties.setProperty("prepareThreshold", "0");\n',
      ],
    ],
  },
  php: {
    files: ["main.php"],
    unprepared: [
      [
        "rawurldecode($url['user']), rawurldecode($url['pass']));",
        "rawurldecode($url['user']), rawurldecode($url['pass']), [PDO::ATTR_EMULATE_PREPARES => true]);",
      ],
    ],
  },
  rust: {
    files: ["Cargo.toml", "src/main.rs"],
    // Of this edition on Cargo chooses versions that fit the compiler.
    unlocked: ["cargo build --locked", "cargo build"],
    unprepared: [
      ["use std::{env, error::Error};\n", "use std::{env, error::Error};\nuse tokio_postgres::types::Type;\n"],
      ["client.query(", "client.query_typed("],
      ['&[&"Hello, world!", &region]', '&[(&"Hello, world!", Type::TEXT), (&region, Type::TEXT)]'],
    ],
  },
  go: {
    files: ["go.mod", "main.go", "direct/main.go", "nearest/main.go"],
    unlocked: ["go build -o hello .", "go mod tidy && go build -o hello ."],
    unprepared: [['os.Getenv("DATABASE_URL")', 'os.Getenv("DATABASE_URL")+"?default_query_exec_mode=exec"']],
  },
  node: { files: ["package.json", "index.js", "nearest.js"], unlocked: npm },
  prisma: {
    unprepared: [['url: process.env["DATABASE_URL"]', 'url: `${process.env["DATABASE_URL"]}?pgbouncer=true`']],
    files: [
      "package.json",
      "prisma.config.ts",
      "prisma/schema.prisma",
      "prisma/migrations/migration_lock.toml",
      "prisma/migrations/20261124080000_create_post/migration.sql",
      "index.js",
    ],
    unlocked: npm,
  },
  drizzle: {
    files: [
      "package.json",
      "schema.js",
      "drizzle/0000_visits.sql",
      "drizzle/meta/_journal.json",
      "migrate.js",
      "index.js",
    ],
    unlocked: npm,
  },
  sequelize: {
    files: ["package.json", ".sequelizerc", "config/config.js", "models/index.js", ...visit, "index.js"],
    unlocked: npm,
  },
  "sequelize-replicas": {
    files: ["package.json", "fly.toml", ".sequelizerc", "config/config.js", "models/index.js", ...visit, "index.js"],
    unlocked: npm,
  },
};

export const clients: readonly string[] = Object.keys(recipes);
