import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { succeeded } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("the environment of a run", () => {
  const { perch, ok } = worldIn();
  const scratch = temporaryDirectory();

  /** A directory that holds these files. */
  function directory(name: string, files: Record<string, string>): string {
    const path = join(scratch, name);
    mkdirSync(path);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
    return path;
  }
  const told = async (cwd: string, names: string, ...flags: string[]) =>
    succeeded(
      await perch(["run", ...flags, "--", "sh", "-c", `echo "${names}"`], { cwd, env: { OWN: "own", BOTH: "own" } }),
    ).trimEnd();

  beforeAll(async () => {
    await ok("up");
    await ok("apps", "create", "web", "--region", "fra");
    await ok("apps", "create", "other");
    await ok("secrets", "set", "-a", "web", "SECRET=secret", "BOTH=secret");
  });

  it("says what the machine is, in the words of Fly.io and in our own", async () => {
    const machine = "$FLY_APP_NAME $FLY_REGION $PRIMARY_REGION $FLY_PROCESS_GROUP";
    expect(await told(scratch, machine, "-a", "web")).toBe("web fra fra app");
    expect(await told(scratch, machine, "-a", "web", "--region", "lhr")).toBe("web lhr fra app");
    expect(await told(scratch, "$PERCH_APP_NAME $PERCH_REGION", "-a", "web")).toBe("web fra");
    expect(await told(scratch, "$FLY_MACHINE_ID $FLY_ALLOC_ID", "-a", "web")).toMatch(/^([0-9a-f]{14}) \1$/);
    expect(await told(scratch, "$FLY_PRIVATE_IP $PERCH_PRIVATE_IP", "-a", "web")).toMatch(/^(fdaa:\S+) \1$/);
  });

  it("is the caller's, then [env], then secrets, then --env, the later over the earlier", async () => {
    const at = directory("order", {
      "perch.toml": 'app = "web"\n[env]\nFILE = "file"\nBOTH = "file"\nSECRET = "file"\nNUMBER = 8080\nYES = true\n',
    });
    expect(await told(at, "$OWN $FILE $NUMBER $YES $SECRET $BOTH")).toBe("own file 8080 true secret secret");
    expect(await told(at, "$BOTH $SECRET [$FILE]", "--env", "BOTH=given=1", "-e", "FILE=")).toBe("given=1 secret []");
  });

  it("comes from a fly.toml as it stands, and from perch.toml where there are both", async () => {
    const fly = `app = "web"\nprimary_region = "lhr"\n[build]\n  image = "x"\n[env]\n  PORT = "8080"\n[[services]]\n  internal_port = 8080\n`;
    const at = directory("fly", { "fly.toml": fly });
    expect(await told(at, "$FLY_APP_NAME $FLY_REGION $PRIMARY_REGION $PORT")).toBe("web lhr lhr 8080");
    writeFileSync(join(at, "perch.toml"), 'app = "other"\n');
    expect(await told(at, "$FLY_APP_NAME [$PORT]")).toBe("other []");
    expect(await told(at, "$FLY_APP_NAME $PORT", "--config", "fly.toml")).toBe("web 8080");
  });

  it("leaves the file of another app out when -a names one", async () => {
    const at = directory("another", { "perch.toml": 'app = "other"\n[env]\nPORT = "1"\n' });
    expect(await told(at, "$FLY_APP_NAME [$PORT]", "-a", "web")).toBe("web []");
  });

  it("lets nobody but Perch say what the machine is", async () => {
    const at = directory("liar", { "perch.toml": 'app = "web"\n[env]\nPORT = "1"\n' });
    const ended = await perch(["run", "--", "sh", "-c", 'echo "$FLY_REGION"'], { cwd: at, env: { FLY_REGION: "xxx" } });
    expect(ended).toMatchObject({ code: 0, stdout: "fra\n" });
  });

  it.each([
    ["no toml at all", 'app = "web"\n[env\n', "perch.toml:2:5: "],
    ["a name that is none", 'x = 1\n\napp = "Web!"\n', "perch.toml:3:1: "],
    ["an app that is no text", "app = 1\n", "perch.toml:1:1: app is not a string"],
    ["a region that is none", 'app = "web"\nprimary_region = "lhx"\n', 'perch.toml:2:1: region "lhx" is not known'],
    ["a variable that is a table", 'app = "web"\n[env]\nGOOD = "1"\n  BAD = ["x"]\n', "perch.toml:4:3: "],
    ["a variable that Perch sets", 'app = "web"\n[env]\nFLY_REGION = "lhr"\n', "perch.toml:3:1: "],
    ["env that is no table", 'env = "x"\n', "perch.toml:1:1: env is not a table"],
  ])("is refused with line and column where the file holds %s", async (name, text, sentence) => {
    const at = directory(name.replaceAll(" ", "-"), { "perch.toml": text });
    const ended = await perch(["run", "--", "echo", "ran"], { cwd: at });
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.stderr).toContain(sentence);
    expect(ended.stderr).toMatch(/\[config_file_invalid\]\nNext: .+\n$/);
  });

  it("says when the file named cannot be read", async () => {
    const ended = await perch(["run", "--config", "nowhere.toml", "--", "echo", "ran"], { cwd: scratch });
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.stderr).toContain("nowhere.toml cannot be read: ENOENT [config_file_unreadable]");
  });
});
