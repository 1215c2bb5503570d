import type { Store } from "../store/store.ts";

/** Runs an operation of a store and gives what it gives, whatever it does besides. */
export type StoreWatch = <T>(operation: string, run: () => Promise<T>) => Promise<T>;

type Operation = (...args: unknown[]) => Promise<unknown>;

/** A store each of whose operations goes through `watch`. Starting and closing are none. */
export function watchStore(store: Store, watch: StoreWatch): Store {
  const watched = new Map<string, Operation>();

  function watchedOf(name: string): Operation {
    const known = watched.get(name);
    if (known) return known;
    const operation: Operation = (...args) =>
      watch(name, () => (store[name as keyof Store] as Operation)(...args));
    watched.set(name, operation);
    return operation;
  }

  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      const isOperation = typeof value === "function" && name !== "start" && name !== "close";
      return isOperation && typeof name === "string" ? watchedOf(name) : value;
    },
  });
}
