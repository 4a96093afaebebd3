/**
 * The interface where peers come out, one a machine; wireguard-go listens for its orders at a socket of this name. `*`
 * for any.
 */
export const wireguardInterface = (homeId: string): string => `wg-${homeId}`;
