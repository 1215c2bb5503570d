/** The first byte of what the plain WebSocket server sends. */
export const MESSAGE = { update: 1, answer: 2 } as const;
