import { findProgram, readText } from "../files/files.ts";
import { isRoot } from "./home.ts";

/** Packages of the system: whether apt has them, and the line that a person types. */

/** Debian, Ubuntu or another child of Debian. */
export const hasApt = async (): Promise<boolean> =>
  isDebian((await readText("/etc/os-release")) ?? "") && (await findProgram("apt-get")) !== undefined;

/** Pure: whether an os-release file is that of Debian, Ubuntu or another child of Debian. */
export const isDebian = (osRelease: string): boolean => /^(?:ID|ID_LIKE)=.*\b(?:debian|ubuntu)\b/m.test(osRelease);

/** What to type for packages to be there, as an imperative: "Type: sudo apt-get install -y iproute2". */
export const aptLine = async (packages: readonly string[]): Promise<string> =>
  (await hasApt())
    ? `Type: ${isRoot() ? "" : "sudo "}apt-get install -y --no-install-recommends ${packages.join(" ")}`
    : `Install ${packages.join(" ")}, or the packages of your system that have them`;
