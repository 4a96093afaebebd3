import { fail } from "../../errors/error.ts";
import { blockersOf, lockTimeoutMs, sentenceOf } from "./blockers.ts";
import { quoteIdentifier } from "./quote.ts";
import { retrying } from "./retry.ts";
import { type Session, sqlState, transaction } from "./session.ts";

/**
 * What a role owns in one database, as the catalogs themselves say: PostgreSQL tells which columns of them name a role
 * (`pg_get_catalog_foreign_keys`), so no kind of object is forgotten when a version brings a new one. REASSIGN OWNED
 * would not do for it all: it refuses the superuser that initdb made, takes the locks of everything at once, and gives
 * a role what that role may not own.
 */
export interface Belonging {
  class: string;
  oid: string;
  /** As PostgreSQL calls it: "table", "text search dictionary". */
  kind: string;
  /** Qualified and quoted. */
  name: string;
}

/**
 * Objects that initdb made belong to PostgreSQL itself, whatever role is named there. Large objects have the numbers
 * that their makers give them.
 */
const firstNormalOid = 16_384;

/** Shared by all databases: given by whoever gives the role up, not here. */
const apart: readonly string[] = [
  "pg_database",
  "pg_authid",
  "pg_auth_members",
  "pg_default_acl",
  "pg_user_mapping",
  "pg_db_role_setting",
  "pg_extension",
];

/**
 * In the order of their making. What follows its owner by itself (indexes, row types, sequences of columns, members of
 * extensions) is left out.
 */
export async function belongings(session: Session, owner: string): Promise<Belonging[]> {
  const catalogs = await session.query<{ catalog: string; column: string }>(
    `SELECT c.relname::text AS catalog, k.fkcols[1] AS column
       FROM pg_catalog.pg_get_catalog_foreign_keys() AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.fktable
      WHERE k.pktable = 'pg_catalog.pg_authid'::pg_catalog.regclass AND NOT k.is_array
        AND c.relname <> ALL ($1::pg_catalog.name[])
        AND EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'oid')
      ORDER BY 1`,
    [apart],
  );
  const each = catalogs.map(({ catalog, column }) => {
    const [table, owns] = [`pg_catalog.${quoteIdentifier(catalog)}`, quoteIdentifier(column)];
    // Subscriptions of all databases stand in one catalog.
    const here =
      catalog === "pg_subscription"
        ? "AND x.subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())"
        : "";
    const known = catalog === "pg_largeobject_metadata" ? "pg_catalog.pg_largeobject" : table;
    return `SELECT '${known}'::pg_catalog.regclass::pg_catalog.oid AS class, x.oid FROM ${table} AS x
             WHERE x.${owns} = (SELECT r.oid FROM pg_catalog.pg_authid AS r WHERE r.rolname = $1) ${here}`;
  });
  return session.query<Belonging>(
    `WITH mine AS (${each.join(" UNION ALL ")})
     SELECT mine.class::pg_catalog.text AS class, mine.oid::pg_catalog.text AS oid, i.type AS kind, i.identity AS name
       FROM mine, LATERAL pg_catalog.pg_identify_object(mine.class, mine.oid, 0) AS i
      WHERE (mine.oid >= ${firstNormalOid}::pg_catalog.oid OR mine.class = 'pg_catalog.pg_largeobject'::pg_catalog.regclass)
        AND coalesce(i.schema, i.identity) !~ '^pg_(toast|temp)' AND i.type NOT IN ('index', 'toast table', 'composite type')
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = mine.class AND d.objid = mine.oid AND d.objsubid = 0
                           AND (d.deptype IN ('e', 'i') OR d.deptype = 'a' AND i.type = 'sequence' AND d.refclassid = mine.class))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_type AS t LEFT JOIN pg_catalog.pg_class AS r ON r.oid = t.typrelid
                         WHERE mine.class = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = mine.oid
                           AND (r.relkind <> 'c' OR EXISTS (SELECT FROM pg_catalog.pg_type AS e WHERE e.typarray = t.oid)))
      ORDER BY mine.oid, mine.class`,
    [owner],
  );
}

/** Where one heir may not own something (an event trigger, say, is a superuser's), it is the next one's. */
export async function give(
  session: Session,
  what: readonly Belonging[],
  heirs: readonly string[],
  given: Belonging[] = [],
): Promise<void> {
  const size = await batchSize(session);
  for (let from = 0; from < what.length; from += size) {
    const batch = what.slice(from, from + size);
    await naming(session, batch, () => giveBatch(session, batch, heirs));
    given.push(...batch);
  }
}

/**
 * A transaction may count on so many locks. A table brings those of its indexes and of its TOAST table along, so half
 * of them is left for these.
 */
async function batchSize(session: Session): Promise<number> {
  const [row] = await session.query<{ locks: number }>(
    "SELECT pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int4 AS locks",
  );
  return Math.max(1, Math.floor((row?.locks ?? 64) / 2));
}

async function giveBatch(
  session: Session,
  batch: readonly Belonging[],
  [heir, ...others]: readonly string[],
): Promise<void> {
  if (heir === undefined) return;
  const statements = batch.map((one) => statementOf(one, heir));
  try {
    await retrying(() =>
      transaction(session, () =>
        session.query([`SET LOCAL lock_timeout = ${lockTimeoutMs}`, ...statements].join("; "), [], 60_000),
      ),
    );
    return;
  } catch (error) {
    if (!refused(error)) throw error;
  }
  if (batch.length === 1) return giveBatch(session, batch, others);
  for (const one of batch) await giveBatch(session, [one], [heir, ...others]);
}

/** 42501: the heir may not own such a thing. 0LP01, 0A000: it cannot be given at all. */
const refused = (error: unknown): boolean => ["42501", "0LP01", "0A000"].includes(sqlState(error) ?? "");

function statementOf({ kind, name }: Belonging, heir: string): string {
  const word = ["function", "procedure", "aggregate"].includes(kind) ? "ROUTINE" : (words[kind] ?? kind.toUpperCase());
  return `ALTER ${word} ${name} OWNER TO ${quoteIdentifier(heir)}`;
}

/** Where ALTER says another word than PostgreSQL's own description. */
const words: Readonly<Record<string, string>> = {
  "statistics object": "STATISTICS",
  "foreign-data wrapper": "FOREIGN DATA WRAPPER",
};

/** What takes too long because somebody holds a lock says who. */
async function naming(session: Session, what: readonly Belonging[], work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (sqlState(error) !== "55P03") throw error;
    const found = await blockersOf(session, what);
    throw fail("held", { what: `the database of ${session.app}`, ...sentenceOf(found) }, error);
  }
}
