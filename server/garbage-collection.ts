import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8 from putting new objects of some kinds straight among the old ones. It begins to when many live long at
 * once, as the requests of a crowd that enters do, and never unlearns it: from then on every short request would
 * be garbage that only a full collection finds. For the whole process, to be called before it does anything else.
 */
export function keepNewObjectsYoung(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}
