import { describe, expect, it } from "vitest";
import { gate } from "../../src/base/gate.ts";

/** A deed that ends when it is told to, and says when it begins and ends. */
function deed(name: string, said: string[]) {
  let end: (error?: Error) => void = () => undefined;
  const told = new Promise<void>(
    (resolve, reject) => (end = (error) => (error === undefined ? resolve() : reject(error))),
  );
  const begin = async () => {
    said.push(`${name} begins`);
    await told.finally(() => said.push(`${name} ends`));
    return name;
  };
  return { begin, end: (error?: Error) => end(error) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("a gate", () => {
  it("lets many pass at once, and one alone only when all of them are through", async () => {
    const said: string[] = [];
    const { pass, alone } = gate();
    const [a, b, c, d] = [deed("a", said), deed("b", said), deed("c", said), deed("d", said)];
    const all = [pass(a.begin), pass(b.begin)];
    await settled();
    all.push(alone(c.begin));
    await settled();
    all.push(pass(d.begin));
    await settled();
    expect(said).toEqual(["a begins", "b begins"]);
    a.end();
    await settled();
    expect(said).toEqual(["a begins", "b begins", "a ends"]);
    b.end();
    await settled();
    expect(said.slice(3)).toEqual(["b ends", "c begins"]);
    c.end();
    await settled();
    expect(said.slice(5)).toEqual(["c ends", "d begins"]);
    d.end();
    expect(await Promise.all(all)).toEqual(["a", "b", "c", "d"]);
  });

  it("is open again after a failure, of one that passed and of one that was alone", async () => {
    const { pass, alone } = gate();
    const failing = () => Promise.reject(new Error("no"));
    await expect(pass(failing)).rejects.toThrow("no");
    await expect(alone(failing)).rejects.toThrow("no");
    expect(await pass(async () => 1)).toBe(1);
    expect(await alone(async () => 2)).toBe(2);
  });

  it("lets two that must be alone in one after the other", async () => {
    const said: string[] = [];
    const { alone } = gate();
    const [a, b] = [deed("a", said), deed("b", said)];
    const both = [alone(a.begin), alone(b.begin)];
    await settled();
    a.end();
    b.end();
    await Promise.all(both);
    expect(said).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  });
});
