import type { Target } from "./target.ts";
import { api } from "./targets/api.ts";
import { client } from "./targets/client.ts";
import { control } from "./targets/control.ts";
import { dnsAnswer } from "./targets/dns-answer.ts";
import { dnsFrame } from "./targets/dns-frame.ts";
import { dnsServer } from "./targets/dns-server.ts";
import { door } from "./targets/door.ts";
import { frames } from "./targets/frames.ts";
import { http } from "./targets/http.ts";
import { logLine } from "./targets/log-line.ts";
import { proxy } from "./targets/proxy.ts";
import { readers } from "./targets/readers.ts";
import { relay } from "./targets/relay.ts";
import { serverFiles } from "./targets/server-files.ts";
import { strangeFiles } from "./targets/strange-files.ts";
import { toml } from "./targets/toml.ts";

export { planted } from "./targets/planted.ts";

/** Quickest first. */
export const targets: readonly Target[] = [
  dnsAnswer,
  dnsFrame,
  toml,
  readers,
  serverFiles,
  logLine,
  frames,
  control,
  relay,
  strangeFiles,
  client,
  door,
  dnsServer,
  http,
  proxy,
  api,
];
