const INITIAL_CAPACITY = 32;

/** What came into view and went out of it by message, so that a viewer can take it back. Bounded: the oldest is overwritten. */
export interface Journal {
  /** Notes that an entity came into view, or went out of it, with a message. */
  note(sequence: number, id: number, entered: boolean): void;
  /** Takes out all that was noted after a message, the last first. */
  takeBack(sequence: number, each: (id: number, entered: boolean) => void): void;
  /** The last message of which something was overwritten; 0: none. */
  readonly lost: number;
  clear(): void;
}

/** A journal of at most so many notes. Eight bytes each: every viewer has one. */
export function createJournal(limit: number): Journal {
  let ids = new Uint32Array(INITIAL_CAPACITY);
  /** Sequences times two, plus one for an entity that entered. */
  let marks = new Uint32Array(INITIAL_CAPACITY);
  let begin = 0;
  let count = 0;
  let lost = 0;

  function grow(): void {
    const size = Math.min(limit, ids.length * 2);
    const next = { ids: new Uint32Array(size), marks: new Uint32Array(size) };
    for (let i = 0; i < count; i++) {
      const at = (begin + i) % ids.length;
      next.ids[i] = ids[at] as number;
      next.marks[i] = marks[at] as number;
    }
    ({ ids, marks } = next);
    begin = 0;
  }

  return {
    note(sequence, id, entered) {
      if (count === ids.length && count < limit) grow();
      if (count === ids.length) {
        lost = (marks[begin] as number) >>> 1;
        begin = (begin + 1) % ids.length;
        count--;
      }
      const at = (begin + count++) % ids.length;
      ids[at] = id;
      marks[at] = sequence * 2 + (entered ? 1 : 0);
    },
    takeBack(sequence, each) {
      while (count > 0) {
        const at = (begin + count - 1) % ids.length;
        const mark = marks[at] as number;
        if (mark >>> 1 <= sequence) return;
        count--;
        each(ids[at] as number, (mark & 1) === 1);
      }
    },
    get lost() {
      return lost;
    },
    clear() {
      count = 0;
      lost = 0;
    },
  };
}
