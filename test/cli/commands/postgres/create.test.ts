import { describe, expect, it } from "vitest";
import { createdText } from "../../../../src/cli/commands/postgres/create.ts";

it("postgres create prints the credentials once, as flyctl does", () => {
  const text = createdText({
    cluster: {
      name: "pg",
      version: "18.4",
      primaryRegion: "ams",
      phase: "ready",
      host: "pg.internal",
      port: 5432,
      synchronous: "off" as const,
      pool: null,
      attachments: [],
      members: [
        {
          id: "m1",
          region: "ams",
          role: "leader",
          address: "fdaa::1",
          port: 5433,
          state: "started",
          pid: 1,
          lagBytes: 0,
        },
      ],
    },
    username: "postgres",
    password: "PW",
    hostname: "pg.internal",
    port: 5432,
    connectionString: "postgres://postgres:PW@pg.internal:5432",
  });
  expect(text).toBe(`Postgres cluster pg created
  Username:           postgres
  Password:           PW
  Hostname:           pg.internal
  Proxy port:         5432
  Postgres port:      5433
  Connection string:  postgres://postgres:PW@pg.internal:5432

Save your credentials in a secure place -- you won't be able to see them again!

Attach an app to it:   perch postgres attach pg --app APP
Connect to it:         perch postgres connect -a pg`);
});

describe("the block", () => {
  it("names the relay's port where members have none of their own yet", () => {
    const cluster = {
      name: "pg",
      version: "18",
      primaryRegion: "ams",
      phase: "ready" as const,
      host: "localhost",
      port: 4000,
      synchronous: "off" as const,
      pool: null,
      members: [],
      attachments: [],
    };
    expect(
      createdText({
        cluster,
        username: "postgres",
        password: "PW",
        hostname: "localhost",
        port: 4000,
        connectionString: "x",
      }),
    ).toMatch(/Postgres port: +4000/);
  });
});
