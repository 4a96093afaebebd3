import { describe, expect, it } from "vitest";
import { prepare, scramVerifier } from "../../../src/postgres/sql/scram.ts";

describe("a SCRAM verifier", () => {
  it("is the one of RFC 7677's example", () => {
    // The user is "user" with the password "pencil"; the keys follow from the exchange printed there.
    const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
    expect(scramVerifier("pencil", salt)).toBe(
      "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
    );
  });

  it("has a salt of its own each time", () => {
    expect(scramVerifier("pencil")).not.toBe(scramVerifier("pencil"));
  });
});

describe("a password before it is hashed", () => {
  it.each([
    ["plain ASCII stays", "it's @:/%#", "it's @:/%#"],
    ["other spaces become a space", "no\u00a0break", "no break"],
    ["what is invisible goes", "so\u00adft", "soft"],
    ["compatibility forms are folded", "ﬁ①ℌ", "fi1H"],
    ["what is apart is composed", "e\u0301", "é"],
    ["an emoji leaves all as it is", "ﬁ🔑", "ﬁ🔑"],
    ["a control character leaves all as it is", "ﬁ\u0007", "ﬁ\u0007"],
    ["one that would vanish stays", "\u00ad", "\u00ad"],
  ])("%s", (_title, password, prepared) => {
    expect(prepare(password)).toBe(prepared);
  });
});
