import { rm } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { serialise } from "../base/serialise.ts";
import { fail } from "../errors/error.ts";
import { makeDirectory, readText, writeWhole } from "../host/files/files.ts";
import type { Home } from "../host/system/home.ts";
import type { AuthorityRecord } from "../model/records.ts";
import {
  type Authority,
  type Chain,
  chainDue,
  chainText,
  constraintsOf,
  endsWithin,
  fingerprintOf,
  trustedText,
} from "../postgres/tls/authority.ts";
import {
  type Credentials,
  crossSign,
  issueBelow,
  issueCertificate,
  makeAuthority,
} from "../postgres/tls/certificate.ts";
import { permits } from "../postgres/tls/name-constraints.ts";
import { openAuthorityKey, sealAuthorityKey } from "../vault/authority-keys.ts";
import type { State } from "../store/records.ts";
import type { Vault } from "../vault/vault.ts";

interface Options {
  home: Home;
  prefix: string;
  state: State;
  vault: Vault;
}

/**
 * The network's certificate authority, its keys sealed in the network's record, made at the first start. `ca/ca.crt` in
 * the home is a copy of the root for people; `ca/ca.key` is where 0.1.0 kept the key in the clear: it is taken from
 * there and removed.
 */
export async function openAuthority({ home, prefix, state, vault }: Options): Promise<Authority> {
  const constraints = constraintsOf(prefix);
  const inTurn = serialise();
  const files = { certificate: join(home.root, "ca", "ca.crt"), key: join(home.root, "ca", "ca.key") };

  async function keep(made: {
    root: Credentials;
    below: Credentials;
    former: AuthorityRecord["former"];
  }): Promise<AuthorityRecord> {
    const found = await state.network.get({});
    if (found === undefined) throw fail("internal", { why: "the network has no record" });
    const kept = await vault.sealing((sealer) =>
      state.network.update(found, (record) => ({
        ...record,
        authority: {
          root: { certificate: made.root.certificate, sealed: sealAuthorityKey(sealer, "root", made.root.key) },
          below: { certificate: made.below.certificate, sealed: sealAuthorityKey(sealer, "below", made.below.key) },
          former: made.former,
        },
      })),
    );
    if (kept?.authority === undefined) throw fail("internal", { why: "the network's authority was not kept" });
    return kept.authority;
  }

  const belowOf = (root: Credentials): Promise<Credentials> =>
    issueBelow(root, `Perch ${home.id}, ${prefix}::/48`, constraints);

  async function begin(): Promise<AuthorityRecord> {
    const [certificate, key] = await Promise.all([readText(files.certificate), readText(files.key)]);
    const root =
      certificate !== undefined && key !== undefined ? { certificate, key } : await makeAuthority(`Perch ${home.id}`);
    return keep({ root, below: await belowOf(root), former: [] });
  }

  /** The copy for people; and the key of 0.1.0 goes when it is sealed. */
  async function writeFiles({ root }: AuthorityRecord): Promise<void> {
    if ((await readText(files.certificate)) !== root.certificate) {
      await makeDirectory(join(home.root, "ca"));
      await writeWhole(files.certificate, root.certificate, { mode: 0o644 });
    }
    await rm(files.key, { force: true });
  }

  /** As it is kept now: the secret key may have been changed since. */
  async function opened(which: "root" | "below"): Promise<Credentials> {
    const record = (await state.network.get({}))?.authority ?? now;
    return { certificate: record[which].certificate, key: openAuthorityKey(vault, record, which) };
  }

  let now = (await state.network.get({}))?.authority ?? (await begin());
  await writeFiles(now);
  let chain = chainOf(now);

  function become(record: AuthorityRecord): void {
    now = record;
    chain = chainOf(record);
  }

  /** The root before this one is forgotten: who trusted it alone has had a rotation's time to take the next. */
  async function rotate({ root }: { root: boolean }): Promise<void> {
    const before = await opened("root");
    if (!root) {
      become(await keep({ root: before, below: await belowOf(before), former: now.former }));
      return;
    }
    const next = await makeAuthority(`Perch ${home.id}, ${new Date().toISOString().slice(0, 19)}`);
    const word = { certificate: before.certificate, cross: await crossSign(before, next.certificate) };
    become(await keep({ root: next, below: await belowOf(next), former: [word] }));
    await writeFiles(now);
  }

  return {
    get certificate() {
      return now.root.certificate;
    },
    get trusted() {
      return chain.trusted;
    },
    get fingerprint() {
      return chain.fingerprint;
    },
    get mark() {
      return chain.mark;
    },
    due: (served, subject) => chainDue(served, chain, constraints, subject),
    rotate: (what) => inTurn(() => rotate(what)),
    issue: (subject) =>
      inTurn(async () => {
        const constrained = permits(constraints, subject);
        if (constrained && endsWithin(now.below.certificate, 400)) await rotate({ root: false });
        const made = await issueCertificate(await opened(constrained ? "below" : "root"), subject);
        return { ...made, certificate: `${made.certificate.trimEnd()}\n${chainText(chain, constrained)}` };
      }),
  };
}

/** What every look of a loop asks for is made once. */
function chainOf(record: AuthorityRecord): Chain & { trusted: string; fingerprint: string; mark: string } {
  const chain = { root: record.root.certificate, below: record.below.certificate, former: record.former };
  const mark = createHash("sha256").update(JSON.stringify(chain)).digest("hex");
  return { ...chain, trusted: trustedText(chain), fingerprint: fingerprintOf(chain), mark };
}
