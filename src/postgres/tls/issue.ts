import { text } from "node:stream/consumers";
import type { Credentials, Request } from "./certificate.ts";
import { below, crossSigned, selfSigned, signed } from "./issuer.ts";

/**
 * A program that makes one certificate: the request comes as JSON on stdin, because it may hold the authority's key,
 * and the credentials go out as JSON on stdout. It is a process of its own so that the library's 20 MB are not perchd's
 * for ever.
 */
async function issue(): Promise<void> {
  const request = JSON.parse(await text(process.stdin)) as Request;
  const now = new Date(request.now);
  process.stdout.write(JSON.stringify(await make(request, now)));
}

function make(request: Request, now: Date): Promise<Credentials> {
  const { days } = request;
  if (request.kind === "root") return selfSigned(request.commonName, now, days);
  if (request.kind === "server") return signed(request.authority, request.subject, now, days);
  if (request.kind === "below") return below(request.authority, request.commonName, request.constraints, now, days);
  return crossSigned(request.authority, request.certificate, now, days);
}

issue().catch((error: Error) => process.stderr.write(`${error.message}\n`, () => process.exit(1)));
