/** What is there already, or will be. Calls that have all they need are made without waiting, which costs as much as some of them. */
export type MaybePromise<T> = T | Promise<T>;

/** Goes on with a value: at once if it is there, otherwise when it is. */
export function chain<T, R>(
  value: MaybePromise<T>,
  goOn: (value: T) => MaybePromise<R>,
): MaybePromise<R> {
  return value instanceof Promise ? value.then(goOn) : goOn(value);
}
