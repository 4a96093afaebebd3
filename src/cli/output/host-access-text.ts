import type { Answer } from "../../client/client.ts";

/** How the host stands to the network. Pure. */
export function hostAccessText(state: Answer<"hostAccess">): string {
  if (!state.on)
    return "Host access is off: this host reaches the network by perch run, perch proxy and public doors alone";
  const first = `Host access is on: this host is ${state.address}, by the interface ${state.interface}`;
  if (state.names) return `${first}, and systemd-resolved knows the network's names`;
  return [
    `${first}. Its names are asked of ${state.resolver}; systemd-resolved does not run here, so add one of these yourself:`,
    ...state.lines,
  ].join("\n  ");
}
