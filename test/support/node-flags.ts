/**
 * Flags of Node for tests and the servers that they start. Most of these live for seconds, and a quarter to a half of the processor time of
 * a start would go into making the embedded database's WebAssembly fast. The benchmark runs without.
 */
export const NODE_FLAGS = ["--liftoff-only"] as const;
