/** Baselines that a client keeps at once: `Baseline.number` is 1 to this. As many as there are bits in a number. */
export const MAX_BASELINES = 32;
/** Common forms that are remembered, to find equal ones; with one more all are forgotten, and found again as they are met. */
export const MAX_COMMON_FORMS = 1_024;
/** Longer forms, in bytes, are no baselines: so what is remembered stays below 12 MiB a zone, the texts by which they are found included. */
export const MAX_COMMON_FORM_BYTES = 4_096;

/** What an entity's full form says of it that others may have in common with it. */
export interface CommonForm {
  /** Fields of `realmwire.v1.Entity` and, with the same numbers, of `Baseline`, serialized: kind, visual and components. */
  readonly bytes: Uint8Array;
  /** Tells those that several entities have from all others of this thread. 0: only one was met so far. */
  share: number;
}

/** Finds out which entities have the same form. */
export interface CommonForms {
  /** The form of an entity. To be asked once for each form of each entity. */
  of(bytes: Uint8Array): CommonForm;
}

// Of all tables together: a client that is shown another one has no baseline of it yet.
let shares = 0;

/** Nothing met so far. */
export function createCommonForms(): CommonForms {
  const forms = new Map<string, CommonForm>();
  // A character for each byte, so that equal texts are equal bytes.
  const decoder = new TextDecoder("latin1");
  return {
    of(bytes) {
      if (bytes.length > MAX_COMMON_FORM_BYTES) return { bytes, share: 0 };
      const key = decoder.decode(bytes);
      const known = forms.get(key);
      if (known) {
        if (known.share === 0) known.share = ++shares;
        return known;
      }
      if (forms.size === MAX_COMMON_FORMS) forms.clear();
      const form = { bytes, share: 0 };
      forms.set(key, form);
      return form;
    },
  };
}

/** The baselines that one client has; none at first. */
export class ToldBaselines {
  /** By number, less 1: the share that it stands for. */
  private readonly told: number[] = Array.from({ length: MAX_BASELINES }, () => 0);
  /** A bit for each number that the message being written uses: what it stands for cannot change any more. */
  private used = 0;

  /** A message begins. */
  begin(): void {
    this.used = 0;
  }

  /** The number for a form in this message, which `tell` is called with if the client does not have it yet. 0: it is to be told in full. */
  numberOf(form: CommonForm, tell: (number: number, form: CommonForm) => void): number {
    const { share } = form;
    if (share === 0) return 0;
    const index = share % MAX_BASELINES;
    const bit = 1 << index;
    const number = index + 1;
    if (this.told[index] !== share) {
      if ((this.used & bit) !== 0) return 0;
      this.told[index] = share;
      tell(number, form);
    }
    this.used |= bit;
    return number;
  }
}
