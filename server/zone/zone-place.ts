/** A place where a zone is simulated: a thread, or one day another node. */
export interface ZonePlace {
  /** Names it in subjects of the bus. */
  readonly host: string;
  /** Calls when the place is lost with all that runs there, at once if it is lost already; until the function that comes back is called. */
  onLost(listener: () => void): () => void;
  /** The zone that it was taken for has ended. */
  release(): void;
}

/** The places that there are. */
export interface ZonePlaces {
  /** Takes the place that has the least to do; waits while none is up. */
  take(): Promise<ZonePlace>;
}
