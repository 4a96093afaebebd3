import { describe, expect, it } from "vitest";
import { redact } from "../../src/base/redact.ts";
import { checkAppName } from "../../src/model/name.ts";
import { fingerprintIn, perchdName, tokenText } from "../../src/model/token.ts";

describe("a token", () => {
  const token = tokenText("-".repeat(43), "f_".repeat(21) + "f");

  it("says whom to give it to", () => {
    expect(fingerprintIn(token)).toBe("f_f_f_f_f_f_f_f_f_f_f_f_f_f_f_f_f_f_f_f_f_f");
  });

  it.each(["", "perch_", `${token}x`, ` ${token}`, token.replace(".", ""), token.replace("perch", "fly")])(
    "is not %j, and the error does not show it",
    (text) => {
      expect(() => fingerprintIn(text)).toThrow(expect.objectContaining({ code: "token_malformed" }) as Error);
      expect(() => fingerprintIn(text)).toThrow("this is not a token of Perch");
    },
  );

  it("is taken out of whatever is logged", () => {
    expect(redact(`a request with ${token} came`)).toBe("a request with perch_*** came");
    expect(redact("perch_app is a database")).toBe("perch_app is a database");
  });
});

it("the name that perchd's certificate has is none that an app can have", () => {
  const [app = ""] = perchdName.split(".");
  expect(() => checkAppName(app)).toThrow("characters other than");
});
