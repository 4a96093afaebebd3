import { expect, it } from "vitest";
import { kernelText } from "../../../src/host/files/kernel-text.ts";

it("text of the kernel's is read at once, and there is none of a process that is not there", () => {
  expect(kernelText("/proc/self/stat")).toMatch(new RegExp(`^${process.pid} `));
  expect(kernelText("/proc/4194305/stat")).toBeUndefined();
});
