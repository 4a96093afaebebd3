import { describe, expect, it } from "vitest";
import { libpqVariables, machineVariables, portableUrl } from "../../../src/server/handlers/run-environment.ts";
import { attachment as attachmentView } from "../../reconcile/world.ts";

const { record: attachment } = attachmentView("ready");

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

describe("portableUrl", () => {
  it("leads an attachment's own URL to the relay on localhost", () => {
    expect(portableUrl("postgres://web:x@pg.internal:5432/web", attachment, 40123)).toBe(
      "postgres://web:x@127.0.0.1:40123/web",
    );
  });
  it.each([
    ["postgres://web:x@elsewhere.example:5432/web"],
    ["postgresql://web:x@pg.internal:5432/web"],
    ["plain text"],
  ])("leaves alone what was set over it: %s", (value) => {
    expect(portableUrl(value, attachment, 40123)).toBe(value);
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
