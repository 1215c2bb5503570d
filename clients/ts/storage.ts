/** Keeps small texts between runs of a client. The methods may be asynchronous. */
export interface Storage {
  /** What is kept under the key; null or undefined when there is nothing. */
  get(key: string): MaybePromise<string | null | undefined>;
  set(key: string, value: string): MaybePromise<void>;
  remove(key: string): MaybePromise<void>;
}

/** A value, now or later. */
export type MaybePromise<T> = T | Promise<T>;

/** The part of the browser's `localStorage` and `sessionStorage` that {@link createWebStorage} uses. */
export interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** A storage that forgets everything when the program ends. */
export function createMemoryStorage(): Storage {
  const entries = new Map<string, string>();
  return {
    get: (key) => entries.get(key),
    set: (key, value) => void entries.set(key, value),
    remove: (key) => void entries.delete(key),
  };
}

/** A storage in the browser's `localStorage` or `sessionStorage`. */
export function createWebStorage(store: WebStorage): Storage {
  return {
    get: (key) => store.getItem(key),
    set: (key, value) => store.setItem(key, value),
    remove: (key) => store.removeItem(key),
  };
}
