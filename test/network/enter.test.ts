import { describe, expect, it } from "vitest";
import { hostsText } from "../../src/network/enter.ts";
import { nsswitchText, resolvText } from "../../src/network/lookup-files.ts";

describe("the files a run sees in place of the host's", () => {
  it("looks names up in files and DNS only, whatever the host does", () => {
    expect(
      nsswitchText("passwd: files systemd\nhosts: files mymachines resolve [!UNAVAIL=return] dns\nnetworks: files\n"),
    ).toBe("passwd: files systemd\nhosts: files dns\nnetworks: files\n");
  });
  it("adds the line where the host has none", () => {
    expect(nsswitchText("passwd: files")).toBe("passwd: files\nhosts: files dns\n");
  });
  it("asks the resolver of the run's region and no other", () => {
    expect(resolvText("fdaa:1:2::3:c").match(/^nameserver .*$/gm)).toEqual(["nameserver fdaa:1:2::3:c"]);
  });
  it("names the machine's own address as Fly.io does", () => {
    expect(hostsText("127.0.0.1 localhost", "fdaa:1:2:1::10")).toBe(
      "127.0.0.1 localhost\nfdaa:1:2:1::10 fly-local-6pn\n",
    );
  });
});
