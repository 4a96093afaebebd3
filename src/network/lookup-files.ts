/** How names are looked up in the network: what glibc reads. Pure. */

/** One resolver and nothing else: that of a run's region, or the servers' own. */
export const resolvText = (resolver: string): string =>
  `# The resolver of Perch's private network\nnameserver ${resolver}\noptions timeout:2 attempts:3\n`;

/** The host's nsswitch.conf with names looked up in files and DNS only. */
export function nsswitchText(hosts: string): string {
  const line = "hosts: files dns";
  return /^\s*hosts:/m.test(hosts)
    ? hosts.replace(/^\s*hosts:.*$/m, line)
    : `${hosts}${hosts === "" || hosts.endsWith("\n") ? "" : "\n"}${line}\n`;
}
