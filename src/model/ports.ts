/** The ports of a network's addresses: one owner, for those who listen, who lead there and who tell a person. */

/** The leader, at any member's address: the map in the kernel leads there. */
export const leaderPort = 5432;
/** A member itself. */
export const memberPort = 5433;
/** The leader's pooler, at any member's address. */
export const poolPort = 6432;
/** A member's own pooler. */
export const memberPoolPort = 6433;
/** The name server of a region. */
export const namePort = 53;

/**
 * What comes from outside of the network may reach: the leader and members, directly and by the pooler, and the name
 * server.
 */
export const reachablePorts: readonly number[] = [namePort, leaderPort, memberPort, poolPort, memberPoolPort];
