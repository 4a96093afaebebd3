/**
 * The variables of libpq in the caller's own environment: they say where a client connects, as whom and how, and some
 * of them (PGSERVICE, PGHOSTADDR, PGOPTIONS) win over what is said by name. In what Perch leads to a cluster, that
 * cluster was named. Pure.
 */
const connecting: readonly RegExp[] = [
  /^PG(HOST|HOSTADDR|PORT|DATABASE|USER|PASSWORD|PASSFILE|SERVICE|SERVICEFILE|SYSCONFDIR|OPTIONS|REPLICATION|TTY|REALM)$/,
  /^PG(SSL\w*|REQUIRE\w*|GSS\w*|KRB\w*|CHANNELBINDING|MINPROTOCOLVERSION|MAXPROTOCOLVERSION)$/,
  /^PG(TARGETSESSIONATTRS|LOADBALANCEHOSTS)$/,
];

/**
 * Without those. How text and time are written (PGTZ, PGCLIENTENCODING), a time limit and the name of the program stay:
 * they lead nowhere.
 */
export const withoutLibpq = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !connecting.some((pattern) => pattern.test(name))));
