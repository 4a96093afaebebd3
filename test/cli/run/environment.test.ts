import { describe, expect, it } from "vitest";
import { envPairs, runEnvironment } from "../../../src/cli/run/environment.ts";

const words = (text: string): string[] => text.trim().split(/\s+/);
const sources = { defaults: {}, own: {}, file: {}, filePrimaryRegion: undefined, daemon: {}, given: {} };

describe("the environment of a run", () => {
  it("prefers, in this order: what Perch sets, --env, secrets, [env], our own", () => {
    const every = {
      own: { A: "own", B: "own", C: "own", D: "own", FLY_REGION: "own" },
      file: { B: "file", C: "file", D: "file" },
    };
    const env = runEnvironment({
      ...sources,
      ...every,
      daemon: { C: "secret", D: "secret", FLY_REGION: "lhr" },
      given: { D: "given" },
    });
    expect(env).toEqual({ A: "own", B: "file", C: "secret", D: "given", FLY_REGION: "lhr" });
  });

  it("takes PRIMARY_REGION from the file before the app's, and from --env before both", () => {
    const both = { ...sources, filePrimaryRegion: "lhr", daemon: { PRIMARY_REGION: "ams" } };
    expect(runEnvironment(both)).toEqual({ PRIMARY_REGION: "lhr" });
    expect(runEnvironment({ ...both, filePrimaryRegion: undefined })).toEqual({ PRIMARY_REGION: "ams" });
    expect(runEnvironment({ ...both, given: { PRIMARY_REGION: "fra" } })).toEqual({ PRIMARY_REGION: "fra" });
  });

  it("has nothing of libpq's from the caller, who named a cluster, and all that the app itself was given", () => {
    const elsewhere = words(
      `PGHOST PGHOSTADDR PGPORT PGDATABASE PGUSER PGPASSWORD PGPASSFILE PGSERVICE PGSERVICEFILE PGSYSCONFDIR PGOPTIONS PGSSLMODE PGSSLROOTCERT
       PGSSLNEGOTIATION PGREQUIREAUTH PGREQUIREPEER PGREQUIRESSL PGCHANNELBINDING PGTARGETSESSIONATTRS PGLOADBALANCEHOSTS PGGSSENCMODE PGKRBSRVNAME`,
    );
    const own = Object.fromEntries(
      [...elsewhere, "PGTZ", "PGDATA", "PGRST_DB_URI", "PATH"].map((name) => [name, "own"]),
    );
    expect(runEnvironment({ ...sources, own })).toEqual({
      PGTZ: "own",
      PGDATA: "own",
      PGRST_DB_URI: "own",
      PATH: "own",
    });
    const given = { file: { PGSSLMODE: "file" }, daemon: { PGSERVICE: "secret" }, given: { PGOPTIONS: "given" } };
    expect(runEnvironment({ ...sources, own, defaults: { PGHOST: "pg.internal" }, ...given })).toMatchObject({
      PGHOST: "pg.internal",
      PGSSLMODE: "file",
      PGSERVICE: "secret",
      PGOPTIONS: "given",
    });
  });

  it("never lets a secret or [env] stand in for what Perch sets", () => {
    expect(
      runEnvironment({ ...sources, file: { FLY_APP_NAME: "x" }, daemon: { FLY_APP_NAME: "web", PERCH_REGION: "ams" } }),
    ).toEqual({
      FLY_APP_NAME: "web",
      PERCH_REGION: "ams",
    });
  });
});

describe("--env", () => {
  it("is cut at its first =", () => {
    expect(envPairs(["A=1", "B=x=y", "C="])).toEqual({ A: "1", B: "x=y", C: "" });
  });

  it("without a name is refused without its value", () => {
    for (const pair of ["=hunter2", "A-B=hunter2", "1=hunter2"]) {
      expect(() => envPairs([pair])).toThrow(expect.objectContaining({ code: "env_pair_invalid" }) as Error);
      expect(() => envPairs([pair])).not.toThrow(/hunter2/);
    }
    expect(() => envPairs(["A"])).toThrow(expect.objectContaining({ code: "env_pair_invalid" }) as Error);
  });

  it("cannot set what Perch sets", () => {
    expect(() => envPairs(["FLY_REGION=lhr"])).toThrow(expect.objectContaining({ code: "usage_invalid" }) as Error);
  });
});
