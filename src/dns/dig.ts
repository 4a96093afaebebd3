import { randomInt } from "node:crypto";
import { decode, encode, RECURSION_DESIRED } from "dns-packet";
import { parseAddress, reverseName } from "../model/address.ts";
import type { DigAnswer, DigQuestion } from "./ask.ts";
import { type Exchange, exchangeTcp, exchangeUdp } from "./upstream.ts";
import { toDigAnswer } from "./dig-text.ts";

/**
 * A program that asks the name server as any program in the namespace would, over UDP and, when the answer is cut
 * short, TCP. Its one argument is the JSON of the question, its output the JSON of the answer. `ask.ts` runs it for
 * `perch dig`.
 */

const tryMs = 2_500;
const tries = 2;

async function dig({ name, type, server, port, tcp }: DigQuestion): Promise<DigAnswer> {
  const asked =
    type === "PTR" && parseAddress(name) !== undefined ? (reverseName(name) ?? name) : name.replace(/\.$/, "");
  const message = encode({
    type: "query",
    id: randomInt(65_536),
    flags: RECURSION_DESIRED,
    questions: [{ name: asked, type: type as "AAAA" }],
    additionals: [
      {
        type: "OPT",
        name: ".",
        udpPayloadSize: 1232,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
  const exchange = async (by: Exchange): Promise<Buffer> => {
    for (let i = 0; i < tries; i++) {
      const answer = await by(message, { address: server, port: port ?? 53 }, tryMs);
      if (answer !== undefined) return answer;
    }
    throw new Error(`${server} does not answer`);
  };
  const began = performance.now();
  let answer = decode(await exchange(tcp ? exchangeTcp : exchangeUdp));
  if (answer.flag_tc) answer = decode(await exchange(exchangeTcp));
  return {
    name: asked,
    type,
    server,
    milliseconds: Math.round((performance.now() - began) * 1000) / 1000,
    ...toDigAnswer(answer),
  };
}

dig(JSON.parse(process.argv[2] ?? "{}") as DigQuestion).then(
  (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`),
  (error: Error) => process.stderr.write(`${error.message}\n`, () => process.exit(1)),
);
