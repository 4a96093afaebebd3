import type { Target } from "./target.ts";
import { api } from "./targets/api.ts";
import { control } from "./targets/control.ts";
import { dnsAnswer } from "./targets/dns-answer.ts";
import { dnsFrame } from "./targets/dns-frame.ts";
import { frames } from "./targets/frames.ts";
import { http } from "./targets/http.ts";
import { logLine } from "./targets/log-line.ts";
import { readers } from "./targets/readers.ts";
import { relay } from "./targets/relay.ts";
import { toml } from "./targets/toml.ts";

export { planted } from "./targets/planted.ts";

/** Quickest first. */
export const targets: readonly Target[] = [dnsAnswer, dnsFrame, toml, readers, logLine, frames, control, relay, http, api];
