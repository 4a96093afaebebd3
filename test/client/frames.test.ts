import { describe, expect, it } from "vitest";
import { errorIn, jsonLines } from "../../src/client/frames.ts";

const read = async (...chunks: (string | Uint8Array)[]): Promise<unknown[]> => {
  const bytes = async function* () {
    for (const chunk of chunks) yield typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
  };
  const values: unknown[] = [];
  for await (const value of jsonLines(bytes())) values.push(value);
  return values;
};

describe("lines of JSON", () => {
  it("come whole from chunks cut anywhere, even inside a character", async () => {
    const bytes = new TextEncoder().encode('{"progress":"é"}\n{"result":1}\n');
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(await read(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual([{ progress: "é" }, { result: 1 }]);
    }
  });

  it("leave out a last line that was cut off", async () => {
    expect(await read('{"progress":"a"}\n{"resu')).toEqual([{ progress: "a" }]);
  });

  it("reject what is no JSON", async () => {
    await expect(read("hello\n")).rejects.toThrow(SyntaxError);
  });
});

describe("errors on the wire", () => {
  it("keep their code, message and next step", () => {
    const error = errorIn({ error: { code: "app_not_found", message: 'app "x" does not exist', next: "List them" } });
    expect(error?.toBody()).toEqual({ code: "app_not_found", message: 'app "x" does not exist', next: "List them" });
    expect(error?.entry.status).toBe(404);
  });

  it("of a code that only a newer daemon knows become internal, with the daemon's own sentence", () => {
    expect(errorIn({ error: { code: "toString", message: "news", next: "" } })?.toBody()).toEqual({
      code: "internal",
      message: "news",
      next: "",
    });
  });

  it("are not seen in results and progress, nor where what stands there is no text", () => {
    const noText = { error: { code: "internal", message: { toString: 1 }, next: "" } };
    for (const frame of [null, 1, "error", { result: { error: 1 } }, { progress: "x" }, { error: "text" }, noText])
      expect(errorIn(frame)).toBeUndefined();
  });
});
