/** The largest request message that is read, in bytes, unpacked. Larger ones are refused with `resource_exhausted`. */
export const MAX_REQUEST_BYTES = 1024 * 1024;

/** The longest timeout that a caller may ask for, in milliseconds: the most that a timer holds, 24 days. Longer ones are refused with `invalid_argument`. */
export const MAX_CALL_TIMEOUT_MS = 2 ** 31 - 1;
