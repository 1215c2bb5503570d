/** Lets work on the same thing happen one after the other, in the order in which it was asked for. */
export interface Turns<K> {
  /** Does the work when all earlier work on the key has ended, well or badly. */
  take<T>(key: K, work: () => Promise<T>): Promise<T>;
}

/** Turns for keys of one kind. Keys without work take no memory. */
export function createTurns<K>(): Turns<K> {
  const last = new Map<K, Promise<unknown>>();
  return {
    take(key, work) {
      const turn = (last.get(key) ?? Promise.resolve()).then(work);
      const settled = turn.then(
        () => {},
        () => {},
      );
      last.set(key, settled);
      void settled.then(() => {
        if (last.get(key) === settled) last.delete(key);
      });
      return turn;
    },
  };
}
