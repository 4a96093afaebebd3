import { describe, expect, it } from "vitest";
import { libpqVariables, machineVariables } from "../../../src/server/handlers/run-environment.ts";

describe("libpqVariables", () => {
  it("says the same as the URL, decoded", () => {
    expect(libpqVariables("postgres://web:p%40ss%2F@pg.internal:5433/my%20db")).toEqual({
      PGHOST: "pg.internal",
      PGPORT: "5433",
      PGUSER: "web",
      PGPASSWORD: "p@ss/",
      PGDATABASE: "my db",
    });
  });
  it.each([[undefined], ["mysql://web:x@db/web"], ["not a url"], [""]])("says nothing of %j", (url) => {
    expect(libpqVariables(url)).toEqual({});
  });
});

describe("machineVariables", () => {
  it("names everything twice, as Fly.io does and as Perch does", () => {
    const env = machineVariables({ app: "web", region: "lhr", primaryRegion: "ams", machine: undefined });
    expect(env).toEqual({
      FLY_APP_NAME: "web",
      PERCH_APP_NAME: "web",
      FLY_REGION: "lhr",
      PERCH_REGION: "lhr",
      FLY_PRIVATE_IP: "127.0.0.1",
      PERCH_PRIVATE_IP: "127.0.0.1",
      FLY_PROCESS_GROUP: "app",
      PERCH_PROCESS_GROUP: "app",
      PRIMARY_REGION: "ams",
    });
  });
});
