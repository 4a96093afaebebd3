import { describe, expect, it } from "vitest";
import { prepare, scramVerifier, verifies } from "../../../src/postgres/sql/scram.ts";

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

describe("whether a verifier is a password's", () => {
  it("is found out with its own salt and rounds, and no other form is one", () => {
    for (const rounds of [1, 4096]) {
      const verifier = scramVerifier("päss\u00a0word", Buffer.from("0123456789abcdef"), rounds);
      expect(verifies(verifier, "päss word")).toBe(true);
      expect(verifies(verifier, "päss word ")).toBe(false);
      expect(verifies(verifier.slice(0, -2), "päss word")).toBe(false);
    }
    for (const other of ["", "md5a3556571e93b0d20722ba62be61e8c2d", "SCRAM-SHA-256$x:y$z"])
      expect(verifies(other, "päss word")).toBe(false);
  });
});
