import { fail } from "../errors/error.ts";
import { findProgram } from "../host/files/files.ts";
import { isRoot } from "../host/system/home.ts";
import { aptLine, hasApt } from "../host/system/packages.ts";

/** The system tools that the private network is made with, and the packages of Debian and Ubuntu that hold them. */
const packageOf: Readonly<Record<string, string>> = {
  ip: "iproute2",
  nft: "nftables",
  nsenter: "util-linux",
  unshare: "util-linux",
};

export async function missingTools(): Promise<string[]> {
  const found = await Promise.all(
    Object.keys(packageOf).map(async (tool) => ((await findProgram(tool)) === undefined ? [tool] : [])),
  );
  return found.flat();
}

export const packagesOf = (tools: readonly string[]): string[] => [
  ...new Set(tools.map((tool) => packageOf[tool] ?? tool)),
];

/** Throws `tools_missing` unless every tool is there. */
export async function requireTools(): Promise<void> {
  const missing = await missingTools();
  if (missing.length > 0) throw await toolsMissing(missing);
}

export const toolsMissing = async (missing: readonly string[], cause?: unknown) =>
  fail("tools_missing", { tools: missing.join(", "), how: await aptLine(packagesOf(missing)) }, cause);

/** argv that installs the packages, where that is ours to do: as root, on Debian or a child of it. */
export async function installCommands(packages: readonly string[]): Promise<string[][] | undefined> {
  if (!isRoot() || !(await hasApt())) return undefined;
  return [
    ["apt-get", "update"],
    ["apt-get", "install", "-y", "--no-install-recommends", ...packages],
  ];
}
