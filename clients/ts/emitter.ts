/** Takes a listener away again. Calling it twice does no harm. */
export type Unsubscribe = () => void;

/** Where an error goes that a listener threw. */
export type ListenerErrorHandler = (error: unknown) => void;

/** Tells listeners about one kind of thing that happens. */
export interface Emitter<Args extends unknown[]> {
  on(listener: (...args: Args) => void): Unsubscribe;
  /** Calls every listener in the order of their coming. One that throws does not keep the rest from hearing. */
  emit(...args: Args): void;
}

/** Writes the error to the console: what becomes of a listener's error unless the caller says otherwise. */
export function reportToConsole(error: unknown): void {
  // oxlint-disable-next-line no-console -- the caller gave no other place
  console.error("realmwire: a listener threw", error);
}

/** Creates an emitter. */
export function createEmitter<Args extends unknown[]>(
  onListenerError: ListenerErrorHandler,
): Emitter<Args> {
  // Each registration is its own object, so that the same function can be registered twice.
  const registrations = new Set<{ listener: (...args: Args) => void }>();
  return {
    on(listener) {
      const registration = { listener };
      registrations.add(registration);
      return () => void registrations.delete(registration);
    },
    emit(...args) {
      // A copy, so that who registers in the meantime is not called yet.
      for (const registration of Array.from(registrations)) {
        if (!registrations.has(registration)) continue;
        try {
          registration.listener(...args);
        } catch (error) {
          onListenerError(error);
        }
      }
    },
  };
}
